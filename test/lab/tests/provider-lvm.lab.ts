/** provider-lvm on real volume groups: one instant for all, and pictures that can be shown, written to and gone back to. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { Counter, verifyCounter } from "../../rig/counter.js";
import { LvmSets } from "../rig/lvm-set.js";
import { type MountedVolume, VolumeGroup } from "../rig/volume-group.js";

test("thin and thick volumes of two volume groups are cut at one instant", async (t) => {
  const volumes = twoGroups(t);
  const sets = new LvmSets(t);
  const folders = volumes.map(({ mount }) => `${mount}/counter`);
  for (const folder of folders) mkdirSync(folder);
  const counter = await Counter.start(folders);
  try {
    const { snapshots, report, took } = await sets.take(folders);
    await counter.advance(5);
    t.diagnostic(`held ${report.heldMs.toFixed(1)} ms; prepare ${took.prepare.toFixed(0)}, seal ${took.seal.toFixed(0)} ms`);
    const pictures: string[] = [];
    for (const snapshot of snapshots) pictures.push(...(await sets.expose(snapshot)));
    assert.ok(verifyCounter(pictures) > 0);
  } finally {
    await counter.stop();
  }
});

/** Three thick and three thin volumes. */
function twoGroups(t: TestContext): MountedVolume[] {
  const [one, two] = [new VolumeGroup(t), new VolumeGroup(t)];
  one.pool("pool", 400);
  two.pool("pool", 400);
  return [
    one.thick("log", "ext4", 64),
    one.thin("pool", "data", "xfs"),
    two.thick("index-1", "ext4", 64),
    two.thin("pool", "blobs", "ext4", 100),
    two.thin("pool", "more", "ext4", 100),
    one.thick("last", "ext4", 64),
  ];
}
