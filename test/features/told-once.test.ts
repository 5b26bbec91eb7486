/** What went wrong is printed once, with a next step that fits. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { Scene } from "../support/fixture/scene.js";

test("the reason of an abort is printed once, beside the call that failed", async (t) => {
  const stage = new Scene(t);
  const throws = { writer: { in: "freeze", does: "throws" } } as const;
  const { stdout, stderr } = await stage.run(["create", "writer:app"], throws);
  const words = (stdout + stderr).replaceAll(/\s+/g, " ");
  assert.equal(words.split("the application said no").length - 1, 1, words);
  assert.match(stderr, /^✗ app: freeze failed after [^:]+$/m);
  assert.match(stdout, /^✗ app +freeze /m);
});

test("a best-effort writer that is left out keeps its reason, also where there is no timeline", async (t) => {
  const stage = new Scene(t);
  const roles = { policy: "best-effort", writer: { in: "freeze", does: "throws" } } as const;
  const config = ["--config", stage.configFile(roles)];
  const created = await stage.run(["create", path.join(stage.app, "data")], roles);
  assert.match(created.stdout.replaceAll(/\s+/g, " "), /the application said no/);
  const ran = await stage.run(["run", path.join(stage.app, "data"), ...config, "--", "true"]);
  assert.match(ran.stderr, /warning: app is left-out: .*the application said no/);
});

test("an expose that fails leaves no folder, and nothing for recover", async (t) => {
  const stage = new Scene(t);
  assert.equal((await stage.run(["create", "writer:app"])).exitCode, 0);
  const failed = await stage.run(["expose", "latest"], { provider: { in: "expose", does: "throws" } });
  assert.equal(failed.exitCode, 4);
  assert.deepEqual(readdirSync(path.join(stage.dir, "exposed")), []);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
});

test("hints fit what failed", async (t) => {
  const stage = new Scene(t);
  const late = await stage.run(["plan", "writer:app"], { provider: { in: "match", does: "hangs" } });
  assert.match(late.stderr, /→ Check why the storage did not respond in time/);
  const missing = await stage.run(["plan", path.join(stage.dir, "none")]);
  assert.match(missing.stderr, /→ Name an existing path/);
});
