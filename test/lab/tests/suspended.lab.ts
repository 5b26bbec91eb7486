/** Devices that another program has suspended: its hold is never ended, and nothing is left on them. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import lvm from "@holdstill/provider-lvm";
import { onEnd } from "../../support/process/on-end.js";
import { commandLine } from "../support/command-line.js";
import { Dmsnap } from "../support/dmsnap.js";
import { lvmSets, transaction, volumesOf, commit } from "../support/lvm-set.js";
import { stateOf } from "../support/lvm-state.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { type MountedVolume, run, VolumeGroup } from "../support/volume-group.js";

const isSuspended = ({ dm }: MountedVolume): boolean =>
  run("dmsetup", ["info", "-c", "--noheadings", "-o", "suspended", dm]).trim() === "Suspended";

/** As another program does it, until the test ends or the function that this returns is called. */
function suspend(t: TestContext, { dm }: MountedVolume): () => void {
  run("dmsetup", ["suspend", dm]);
  const resume = (): void => void run("dmsetup", ["resume", dm]);
  onEnd(t, resume);
  return resume;
}

function logical(t: TestContext, kind: "thick" | "thin"): { vg: VolumeGroup; volume: MountedVolume } {
  const vg = new VolumeGroup(t);
  if (kind === "thin") vg.pool("pool", 100);
  const volume = kind === "thin" ? vg.thin("pool", "data", "ext4", 64) : vg.thick("data", "ext4", 64);
  return { vg, volume };
}

for (const kind of ["thick", "thin", "mapping"] as const) {
  test(`plan and create refuse a ${kind} volume that another program has suspended, and leave that as it is`, async (t) => {
    const made =
      kind === "mapping"
        ? { volume: new MappedDisk(t).volume("data", "ext4"), use: "provider-dmsnap" }
        : { ...logical(t, kind), use: "provider-lvm" };
    const { volume, use } = made;
    const command = commandLine(t, [{ use, options: { size: "16M" } }]);
    const before = state();
    const resume = suspend(t, volume);
    for (const op of ["plan", "create"]) {
      const refused = await command([op, volume.mount]);
      assert.equal(refused.exitCode, 3, refused.stderr);
      assert.match(refused.stderr, new RegExp(`dmsetup resume ${volume.dm}`));
    }
    assert.ok(isSuspended(volume));
    resume();
    assert.deepEqual(state(), before);
    const created = await command(["create", volume.mount]);
    assert.equal(created.exitCode, 0, created.stderr);
  });
}

for (const kind of ["thick", "thin"] as const) {
  test(`a ${kind} volume that is suspended after prepare is not cut, and an abort leaves nothing on it`, async (t) => {
    const { vg, volume } = logical(t, kind);
    const sets = lvmSets(t);
    const before = stateOf(vg);
    const tx = transaction();
    const planned = volumesOf([volume.mount]);
    const section = await lvm.prepare(tx, planned, sets.ctx);
    const resume = suspend(t, volume);
    await assert.rejects(commit(section, planned), { code: "E_HOLD_BUSY" });
    // A thick one cannot be removed without a resume of its origin.
    const early = lvm.abort(tx, sets.ctx);
    if (kind === "thick") await assert.rejects(early, { code: "BUSY", message: /suspended by another program/ });
    else await early;
    assert.ok(isSuspended(volume), "the hold of the other program");
    resume();
    await lvm.abort(tx, sets.ctx);
    assert.equal(stateOf(vg), before);
  });
}

test("a mapping that is suspended after prepare is not cut, and an abort leaves nothing on it", async (t) => {
  const volume = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t);
  const before = state();
  const id = dmsnap.id();
  const section = await dmsnap.prepare(id, [volume]);
  const resume = suspend(t, volume);
  await assert.rejects(dmsnap.hold(section), { code: "E_HOLD_BUSY" });
  await dmsnap.abort(id);
  assert.ok(isSuspended(volume), "the hold of the other program");
  resume();
  await dmsnap.abort(id);
  assert.deepEqual(state(), before);
});
