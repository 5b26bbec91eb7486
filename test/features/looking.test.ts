/** What only looks: it can be ended at any time, and what needs no plugin leaves nothing where there is nothing yet. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { patientLimits, Scene } from "../support/fixture/scene.js";

// The others make the state directory: a provider tries there what it can.
for (const args of [
  ["list"],
  ["history"],
  ["metrics"],
  ["plugins", "list"],
  ["prune", "--keep-last", "1", "--dry-run"],
]) {
  test(`\`${args.join(" ")}\` makes no state directory`, async (t) => {
    const stage = new Scene(t);
    const ended = await stage.run(args, { limits: patientLimits });
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.equal(existsSync(path.join(stage.dir, "state")), false);
  });
}

test("a plan that is interrupted ends at once", async (t) => {
  const stage = new Scene(t);
  const roles = { writer: { in: "identify", does: "hangs" }, limits: patientLimits } as const;
  const began = performance.now();
  const ended = await stage.run(["plan", "writer:app"], roles, {
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
});
