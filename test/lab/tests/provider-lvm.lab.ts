/** provider-lvm on real volume groups: all volumes of a set are of one instant. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import { Counter, CounterBroken, verifyCounter } from "../../support/storage/counter.js";
import { lvmSets, volumesOf } from "../support/lvm-set.js";
import { type MountedVolume, VolumeGroup } from "../support/volume-group.js";

test("thin and thick volumes of two volume groups are cut at one instant, and sets of one volume each are not", async (t) => {
  const folders = twoGroups(t).map(({ mount }) => `${mount}/counter`);
  const sets = lvmSets(t);
  for (const folder of folders) mkdirSync(folder);
  const counter = await Counter.start(folders);
  const [first = "", second = ""] = folders;
  try {
    const { snapshots, report, took } = await sets.take(folders);
    // What follows needs steps in between, and not the guest's only processor.
    counter.pace(20);
    const alone = await sets.take([first]);
    await counter.advance(2);
    const later = await sets.take([second]);
    await counter.advance(2);
    await counter.stop();
    await t.test(
      `held ${Math.round(report.heldMs)} ms; prepare ${Math.round(took.prepare)}, seal ${Math.round(took.seal)} ms`,
    );
    const trees: string[] = [];
    for (const snapshot of snapshots) trees.push(...(await sets.expose(snapshot)));
    assert.ok(verifyCounter(trees) > 0);
    const apart: string[] = [];
    for (const snapshot of [...alone.snapshots, ...later.snapshots]) apart.push(...(await sets.expose(snapshot)));
    assert.throws(() => verifyCounter(apart), CounterBroken);
  } finally {
    await counter.stop();
  }
});

test("however many volumes are matched at a time, LVM is asked once for volumes and once for disks", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = volumesOf(["one", "two", "three"].map((name) => vg.thick(name, "ext4", 32).mount));
  const { ctx } = lvmSets(t);
  const asked: string[] = [];
  const heard: typeof ctx = {
    ...ctx,
    exec: (command, args, options) => {
      asked.push([command, args?.[0]].join(" "));
      return ctx.exec(command, args, options);
    },
  };
  const matched = await Promise.all(volumes.map((volume) => provider.match(volume, heard)));
  assert.deepEqual(
    matched.map((qualities) => qualities?.method),
    ["thick", "thick", "thick"],
  );
  assert.deepEqual(asked.toSorted(), ["lvm lvs", "lvm pvs"]);
  // Nothing is kept: what changed meanwhile is seen.
  await provider.match(volumes[0] ?? assert.fail(), heard);
  assert.equal(asked.length, 4);
});

/** Three thick and three thin volumes. */
function twoGroups(t: TestContext): MountedVolume[] {
  const [one, two] = [new VolumeGroup(t), new VolumeGroup(t)];
  one.pool("pool", 400);
  two.pool("pool", 200);
  return [
    one.thick("log", "ext4", 32),
    one.thin("pool", "data", "xfs"),
    two.thick("index-1", "ext4", 32),
    two.thin("pool", "blobs", "ext4", 64),
    two.thin("pool", "more", "ext4", 64),
    one.thick("last", "ext4", 32),
  ];
}
