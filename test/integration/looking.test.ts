/** What only looks leaves nothing, also on a machine where there is nothing yet. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { patience, Stage } from "../rig/stage.js";

for (const args of [
  ["plan", "writer:app"],
  ["writers"],
  ["providers"],
  ["doctor"],
  ["list"],
  ["history"],
  ["recover"],
]) {
  test(`\`${args.join(" ")}\` makes no state directory, and leaves no temporary file`, async (t) => {
    const stage = new Stage(t);
    const TMPDIR = path.join(stage.dir, "tmp");
    mkdirSync(TMPDIR);
    const ended = await stage.run(args, { limits: patience }, { env: { TMPDIR } });
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.equal(existsSync(path.join(stage.dir, "state")), false);
    assert.deepEqual(readdirSync(TMPDIR), []);
    assert.equal((await stage.run(["create", "writer:app"], { limits: patience })).exitCode, 0);
  });
}

test("a plan that is interrupted ends at once, and leaves nothing either", async (t) => {
  const stage = new Stage(t);
  const TMPDIR = path.join(stage.dir, "tmp");
  mkdirSync(TMPDIR);
  const roles = { writer: { in: "identify", does: "hangs" }, limits: patience } as const;
  const began = performance.now();
  const ended = await stage.run(["plan", "writer:app"], roles, {
    env: { TMPDIR },
    onStart(child) {
      const timer = setInterval(() => {
        if (!stage.calls("app").includes("identify")) return;
        clearInterval(timer);
        child.kill("SIGINT");
      }, 50);
      child.once("exit", () => clearInterval(timer));
    },
  });
  const took = performance.now() - began;
  assert.ok(took < 20_000, `it took ${took} ms; a writer may take 30 s to say what it owns`);
  assert.equal(ended.exitCode, 130, ended.stderr);
  assert.equal(existsSync(path.join(stage.dir, "state")), false);
  assert.deepEqual(readdirSync(TMPDIR), []);
});
