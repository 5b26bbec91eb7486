/** One transaction over provider-lvm and provider-dmsnap, on volumes that are written to all the time. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { open, type Engine } from "holdstill";
import type { SnapshotSet } from "holdstill/plugin";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { checkAll, stateOf } from "../support/lvm-state.js";
import { MappedDisk } from "../support/mapped-disk.js";
import { type MountedVolume, VolumeGroup } from "../support/volume-group.js";

/** `HOLDSTILL_ROUNDS=50 npm run lab -- --minutes 60 providers-together` for the full measure. */
const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 1);
/**
 * The writer never pauses while a set is taken. Afterwards it rests so long after each step, ms: it goes on writing below the
 * snapshots, and leaves the guest's only processor to what shows and removes them.
 */
const calm = 50;

test("sets over 3 thin and 3 thick volumes of 2 groups and 2 plain devices are of one instant and hold what was acknowledged", async (t) => {
  const { groups, volumes, store } = park(t);
  const engine = await library(t, store);
  const folders = volumes.map(({ mount }) => `${mount}/srv`);
  for (const folder of folders) mkdirSync(folder);
  const before = groups.map(({ vg }) => stateOf(vg));
  const counter = await Counter.start(folders);
  onEnd(t, async () => void (await counter.stop()));
  const worst: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await t.test(`round ${round}`, async (part) => {
      counter.pace(0);
      const words = folders.map((folder) => scribble(folder, `${round}`));
      const acknowledged = counter.acknowledged;
      counter.lapWorstMs();
      const { set, error } = await engine.create({ targets: folders });
      assert.ok(set, JSON.stringify(error));
      await counter.advance(2);
      const heldMs = set.hold?.heldMs ?? Number.NaN;
      worst.push(heldMs);
      part.diagnostic(`held ${heldMs.toFixed(1)} ms, longest step ${counter.lapWorstMs().toFixed(1)} ms`);
      assert.deepEqual([set.cut, set.consistency, set.snapshots.length], ["atomic", "filesystem", 8]);
      const since = counter.acknowledged;
      counter.pace(calm);
      for (const folder of folders) scribble(folder, "later");
      const pictures = placesOf(await engine.expose(set.id), folders);
      const last = verifyCounter(pictures);
      assert.ok(acknowledged <= last && last <= since, `${acknowledged} <= ${last} <= ${since}`);
      assert.deepEqual(
        pictures.map((picture) => sum(picture)),
        words,
      );
      if (round === rounds) await restored(part, engine, set, folders, words);
      await engine.remove(set.id);
      assert.deepEqual(
        groups.map(({ vg }) => stateOf(vg)),
        before,
      );
    });
  }
  await counter.stop();
  t.diagnostic(`held ${worst.toSorted((a, b) => a - b)[Math.floor(worst.length / 2)]?.toFixed(1)} ms in the median`);
  for (const { vg, own } of groups) checkAll(vg, own);
});

/** What was captured comes back as a whole, elsewhere. */
async function restored(
  t: TestContext,
  engine: Engine,
  { id }: SnapshotSet,
  folders: readonly string[],
  words: readonly string[],
): Promise<void> {
  const to = tempDir(t);
  await engine.restore(engine.planRestore(id, [], to));
  const copies = folders.map((folder) => path.join(to, folder));
  assert.ok(verifyCounter(copies) > 0);
  assert.deepEqual(
    copies.map((copy) => sum(copy)),
    words,
  );
}

/** Three thick and three thin volumes, two plain devices, and room for what changes on these. */
function park(t: TestContext): {
  groups: { vg: VolumeGroup; own: MountedVolume[] }[];
  volumes: MountedVolume[];
  store: string;
} {
  // First, so that it is taken down last: LVM's devices lie beside its own.
  const disk = new MappedDisk(t);
  const plain = [disk.volume("plain", "ext4"), disk.volume("other", "xfs")];
  const store = disk.store("store", 400);
  const [one, two] = [new VolumeGroup(t), new VolumeGroup(t)];
  one.pool("pool", 300);
  two.pool("pool", 200);
  const groups = [
    { vg: one, own: [one.thick("log", "ext4", 32), one.thin("pool", "data", "xfs"), one.thick("bulk", "xfs", 320)] },
    {
      vg: two,
      own: [
        two.thick("index-1", "ext4", 32),
        two.thin("pool", "blobs", "ext4", 64),
        two.thin("pool", "more", "ext4", 64),
      ],
    },
  ];
  return { groups, store, volumes: [...groups.flatMap(({ own }) => own), ...plain] };
}

/** The library with a config of the test's own; its sets are removed at the end. */
async function library(t: TestContext, store: string): Promise<Engine> {
  const dir = tempDir(t);
  const config = path.join(dir, "config.json");
  const plugins = [{ use: "provider-lvm" }, { use: "provider-dmsnap", options: { store } }];
  writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins }));
  const engine = await open({ config });
  onEnd(t, async () => {
    await engine.recover(await engine.leftovers());
    await engine.removeAll(engine.list().sets.map(({ id }) => id));
  });
  return engine;
}

/** Writes a file that no sync brings to the disk, and answers its sum. */
function scribble(folder: string, word: string): string {
  writeFileSync(path.join(folder, "file"), `${word} in ${folder}\n`.repeat(4000));
  return sum(folder);
}

const sum = (folder: string): string =>
  createHash("sha256")
    .update(readFileSync(path.join(folder, "file")))
    .digest("hex");

/** Where the snapshot of each folder lies. */
function placesOf({ exposed = [] }: SnapshotSet, folders: readonly string[]): string[] {
  const trees = exposed.flatMap((one) => one.exposed.trees);
  return folders.map((folder) => trees.find(({ original }) => original === folder)?.path ?? assert.fail(folder));
}
