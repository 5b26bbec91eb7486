/** `holdstill verify`: the application is started on a snapshot that is thrown away. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Leftover } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";

async function staged(t: TestContext): Promise<[Scene, string]> {
  const stage = new Scene(t);
  const made = await stage.run(["create", "writer:app", "--quiet"]);
  assert.equal(made.exitCode, 0, made.stderr);
  return [stage, made.stdout.trim()];
}

const pictures = (stage: Scene, id: string): string[] => readdirSync(path.join(stage.store, id)).toSorted();

test("what the writer found is told and kept, and what it wrote is gone", async (t) => {
  const [stage, id] = await staged(t);
  const good = await stage.run(["verify", "latest"]);
  assert.equal(good.exitCode, 0, good.stderr);
  assert.match(good.stdout, /^ {2}app {2}opens {2}20/);
  assert.deepEqual(pictures(stage, id), ["0", "volumes.json"]);
  const picture = path.join(stage.store, id, "0", stage.app, "data");
  assert.deepEqual(readdirSync(picture), ["file"]);
  assert.ok(!existsSync(path.join(stage.dir, "exposed", id)));

  writeFileSync(path.join(picture, "file"), "spoilt");
  const bad = await stage.run(["verify", id]);
  assert.equal(bad.exitCode, 5);
  assert.match(bad.stdout, /✗ does not open .* the file is not\s+precious/);
  const kept = (await stage.run(["show", id, "--json"])).json() as SnapshotSet;
  assert.deepEqual(
    kept.verified?.map((one) => ["writer" in one && one.writer, one.result, one.reason]),
    [["app", "does-not-open", "the file is not precious"]],
  );
});

test("a writer that fails to verify has not examined the snapshot, which has an exit code, and it is unexposed", async (t) => {
  const [stage, id] = await staged(t);
  const failed = await stage.run(["verify", id], { writer: { in: "verify", does: "exits" } });
  assert.equal(failed.exitCode, 7);
  assert.match(failed.stdout, /\? could not be examined[^]* ended\s+during\s+verify/);
  assert.deepEqual(pictures(stage, id), ["0", "volumes.json"]);
});

test("a snapshot that cannot be unexposed does not stop the others from being unexposed", async (t) => {
  const stage = new Scene(t);
  const elsewhere = mkdtempSync("/dev/shm/holdstill-test-");
  onEnd(t, () => rmSync(elsewhere, { recursive: true }));
  writeFileSync(path.join(elsewhere, "file"), "precious\n");
  const writer = { more: [elsewhere], repair: "always" };
  const made = await stage.run(["create", "writer:app", "--quiet"], { writer });
  assert.equal(made.exitCode, 0, made.stderr);
  const provider = { in: "unexpose", does: "throws", when: "before" } as const;
  const unexposed = async (args: string[], exit: number): Promise<number> => {
    const before = stage.calls("store").length;
    const ran = await stage.run(args, { writer, provider });
    assert.equal(ran.exitCode, exit, ran.stderr);
    return stage
      .calls("store")
      .slice(before)
      .filter((call) => call === "unexpose").length;
  };
  assert.equal(await unexposed(["verify", "latest"], 7), 2);
  assert.equal(await unexposed(["unexpose", "latest"], 4), 2);
  assert.equal(await unexposed(["create", "writer:app"], 0), 2, "nor after a repair, which the set keeps");
});

test("a set that somebody reads is not verified", async (t) => {
  const [stage, id] = await staged(t);
  await stage.run(["expose", id]);
  const refused = await stage.run(["verify", id, "--json"]);
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stdout, /"E_SET_EXPOSED"/);
});

test("after kill -9 of a verify recover finds what was shown, and unexposes it", async (t) => {
  const [stage, id] = await staged(t);
  const config = stage.configFile({ writer: { in: "verify", does: "hangs" } });
  const child = spawn(process.execPath, [program, "verify", id, "--config", config], { stdio: "ignore" });
  while (!stage.calls("app").includes("verify")) await sleep(20);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.deepEqual(pictures(stage, id), ["0", "0.scratch", "volumes.json"]);
  const { leftovers } = (await stage.run(["recover", "--dry-run", "--json"])).json() as { leftovers: Leftover[] };
  assert.deepEqual(leftovers, [{ type: "exposure", id }]);
  const done = await stage.run(["recover", "--yes"]);
  assert.match(done.stdout, /^Done: unexpose set /);
  assert.deepEqual(pictures(stage, id), ["0", "volumes.json"]);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
});
