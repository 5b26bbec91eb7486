/** How full the space of snapshots is: what providers report now, beside the record. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

test("list, show, and metrics report how full the space is and what is lost, with --usage", async (t) => {
  const stage = new Scene(t);
  const roles = { provider: { usage: 75 }, limits: patientLimits };
  for (const name of ["one", "two"]) await stage.run(["create", "writer:app", "--name", name], roles);
  const plain = await stage.run(["list"], roles);
  assert.doesNotMatch(plain.stdout, /USED/);
  const listed = await stage.run(["list", "--usage"], roles);
  assert.match(listed.stdout, /^SET .* USED {2}TARGETS\n.* 75 % {2}writer:app\n.* 75 % {2}writer:app\n$/);
  const shown = (await stage.run(["show", "two", "--usage"], roles)).stdout;
  assert.match(shown, /^Space used now\n {2}\S+\/0 {2}75 % {2}of\s+\S+\/store$/m);
  assert.match(
    (await stage.run(["metrics", "--usage"], roles)).stdout,
    /^holdstill_snapshot_space_used_ratio\{where=".*\/store"\} 0\.75$/m,
  );

  const [lost = ""] = (await stage.run(["list", "--quiet"], roles)).stdout.split("\n");
  rmSync(path.join(stage.store, lost), { recursive: true });
  assert.match((await stage.run(["list", "--usage"], roles)).stdout, /^\S+ {2}one .* ✗ lost {2}writer:app$/m);
  assert.match(
    (await stage.run(["show", lost, "--usage"], roles)).stdout,
    /✗ lost {2}its provider no longer knows it$/m,
  );
  assert.match(
    (await stage.run(["metrics", "--usage"], roles)).stdout,
    /^holdstill_snapshots_lost\{provider="store"\} 1$/m,
  );
  const { sets } = (await stage.run(["list", "--usage", "--json"], roles)).json() as { sets: SnapshotSet[] };
  for (const set of sets) assert.ok(validate("snapshot-set", set, "stdout").ok);
});

test("a provider that does not answer costs what it would have said, and nothing else", async (t) => {
  const stage = new Scene(t);
  await stage.run(["create", "writer:app", "--name", "one"], { limits: patientLimits });
  for (const args of [["list"], ["show", "one"], ["metrics"]]) {
    const ran = await stage.run([...args, "--usage"], { provider: { in: "list", does: "throws" } });
    assert.match(ran.stdout, /one/, args.join(" "));
    assert.match(ran.stderr, /provider `store` .* failed in list/);
    assert.equal(ran.exitCode, 0);
  }
});
