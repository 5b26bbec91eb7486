/** The keeper's own limit, also if the kernel does not answer. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import test from "node:test";
import { lapseError } from "#core/keeper/client/client.js";
import { onEnd } from "../support/process/on-end.js";
import { armed, freezable, freezables, freeze, fsOn, sectionOf, thaw } from "../support/storage/freezable.js";
import { refusalOf } from "../support/process/refusal.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { isGone } from "../support/process/victim.js";

test("when the limit is reached, everything is released, and the report has the reason", async (t) => {
  const mounts = freezables(t, 2, ["xfs", "btrfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((mount) => new WriteProbe(t, mount));
  const keeper = await armed(t, sectionOf(mounts, 700));
  await keeper.hold();
  const held = monotonic();
  for (const scribe of scribes) assert.ok((await scribe.writesAfter(held + 100)) > 0, "the keeper releases it");
  const report = await keeper.release();
  assert.equal(report.reason, "deadline");
  assert.match(lapseError(report)?.message ?? "", /limit of the hold/);
  await keeper.disarm();
});

/** Enough time for everything that can be held. */
const limitMs = 2500;

for (const dirty of [false, true]) {
  test(`a file system that the kernel cannot freeze (it has ${dirty ? "dirty data" : "only its journal to write"}) is named at the deadline, the others are released, and it as soon as it is held`, async (t) => {
    const other = freezable(t, "xfs");
    const below = freezable(t, "ext4", "below");
    if (below === null || other === null) return;
    const above = fsOn(t, below);
    const scribe = new WriteProbe(t, other);
    await scribe.writesAfter(0);
    execFileSync("sync", ["-f", above]);
    const keeper = await armed(t, sectionOf([other, above], limitMs));
    assert.ok(freeze(below));
    // Before the others: nothing above it can be thawed or unmounted while it is frozen.
    onEnd(t, () => thaw(below));
    if (dirty) writeFileSync(`${above}/dirty`, Buffer.alloc(1024 * 1024));
    const asked = monotonic();
    const error = await refusalOf(keeper.hold());
    const took = monotonic() - asked;
    assert.equal(error.code, "E_HOLD_LATE");
    assert.deepEqual(error.details, { targets: [above], limitMs });
    t.diagnostic(`rejected ${(took - limitMs).toFixed(0)} ms after the deadline`);
    assert.ok(took < limitMs + 3000);
    assert.ok((await scribe.writesAfter(asked + took)) > 0, "the other one is writable");
    const { targets } = await keeper.release();
    const late = targets.find(({ target }) => target.kind === "fs" && target.mount === above);
    assert.match(late?.problem ?? "", /in time/);
    await keeper.disarm();
    assert.ok(existsSync(`/proc/${keeper.pid}`), "it waits for the call that the kernel has not answered");
    assert.ok(thaw(below));
    assert.ok(await isGone(keeper.pid ?? 0));
    assert.equal(thaw(above), false, "the late hold was released at once");
  });
}
