/** provider-dmsnap and the keeper: several devices at one instant, under load. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test from "node:test";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { Dmsnap } from "../support/dmsnap.js";
import { MappedDisk } from "../support/mapped-disk.js";

test("devices with ext4 and XFS that are written to all the time are cut at one instant, also those that have snapshots already", async (t) => {
  const [one, other] = [new MappedDisk(t), new MappedDisk(t)];
  const volumes = [one.volume("one", "ext4"), other.volume("two", "xfs"), one.volume("three", "ext4")];
  const dmsnap = new Dmsnap(t, { size: "32M" }).cleanUp();
  const folders = volumes.map(({ mount }) => `${mount}/counter`);
  for (const folder of folders) mkdirSync(folder);
  for (let round = 1; round <= 2; round += 1) {
    const counter = await Counter.start(folders);
    const id = dmsnap.id();
    const section = await dmsnap.prepare(id, volumes);
    counter.lapWorstMs();
    const report = await dmsnap.hold(section);
    await counter.advance(5);
    t.diagnostic(`held ${report.heldMs.toFixed(1)} ms, longest step ${counter.lapWorstMs().toFixed(1)} ms`);
    await counter.stop();
    const snapshots = await dmsnap.seal(id);
    const trees: string[] = [];
    for (const snapshot of snapshots) trees.push(`${await dmsnap.expose(snapshot)}/counter`);
    assert.ok(verifyCounter(trees) > 0);
    for (const snapshot of snapshots) await dmsnap.unexpose(snapshot);
  }
});
