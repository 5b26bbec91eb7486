/** Which blocks changed between two thin snapshots. */
import assert from "node:assert/strict";
import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Difference, Snapshot } from "holdstill/plugin";
import { tempDir } from "../../support/storage/temp.js";
import { lvmSets, type TakenSet } from "../support/lvm-set.js";
import { lvmScene } from "../support/lvm-scene.js";
import { run, VolumeGroup } from "../support/volume-group.js";

/** Rounds of random writes. */
const ROUNDS = 4;
const MIB = 1024 * 1024;

test("what diff lists, written over the older snapshot, gives the newer one: a raw volume, random rounds", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const device = vg.rawThin("pool", "vm-1", 16);
  const sets = lvmSets(t);
  const copy = path.join(tempDir(t), "copy");
  let before: TakenSet | null = null;
  let read = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    change(device, 16 * MIB, round);
    const taken = await sets.take([device]);
    const [newer] = taken.snapshots;
    assert.ok(newer);
    const { devices = [] } = await provider.expose(newer, { access: "read-only", at: tempDir(t) }, sets.ctx);
    const contents = devices[0]?.path ?? "";
    const older: Snapshot | undefined = before?.snapshots[0];
    if (before === null || older === undefined) run("dd", [`if=${contents}`, `of=${copy}`, "bs=1M", "status=none"]);
    else {
      const found: Difference =
        (await provider.diff?.(older, newer, sets.ctx)) ?? assert.fail("provider-lvm has no diff");
      assert.equal(found.sizeBytes, 16 * MIB);
      read += apply(found, copy);
      run("cmp", [copy, contents]);
      await provider.abort(before.tx, sets.ctx);
    }
    await provider.unexpose(newer, sets.ctx);
    before = taken;
  }
  t.diagnostic(`read ${(read / (ROUNDS * 16 * MIB)).toFixed(3)} of all`);
  assert.ok(read < ROUNDS * 16 * MIB);
  if (before !== null) await provider.abort(before.tx, sets.ctx);
});

test("a diff of a thick volume names it, and of a pool whose metadata another program reads says how to go on", async (t) => {
  const { sets, vg, thick, thin } = lvmScene(t);
  const first = await sets.take([`${thin.mount}/srv`, `${thick.mount}/srv`]);
  writeFileSync(`${thin.mount}/srv/file`, "changed\n");
  const second = await sets.take([`${thin.mount}/srv`, `${thick.mount}/srv`]);
  const pair = (method: string) =>
    [first, second].map(({ snapshots }) => snapshots.find((one) => one.method === method));
  const [thickFrom, thickTo, thinFrom, thinTo] = [...pair("thick"), ...pair("thin")];
  assert.ok(thickFrom && thickTo && thinFrom && thinTo);
  const diff = async (from: Snapshot, to: Snapshot) =>
    (await provider.diff?.(from, to, sets.ctx)) ?? assert.fail("provider-lvm has no diff");
  await assert.rejects(diff(thickFrom, thickTo), { code: "UNSUPPORTED" });
  const pool = vg.dm("pool", "tpool");
  run("dmsetup", ["message", pool, "0", "reserve_metadata_snap"]);
  await assert.rejects(diff(thinFrom, thinTo), { code: "BUSY" });
  run("dmsetup", ["message", pool, "0", "release_metadata_snap"]);
  const { data, holes, sizeBytes } = await diff(thinFrom, thinTo);
  assert.ok(data.length >= 2 && sizeBytes === 64 * MIB, JSON.stringify({ data, holes, sizeBytes }));
  assert.deepEqual(await diff(thinFrom, thinFrom).then((same) => [same.data, same.holes]), [[], []]);
  for (const { tx } of [second, first]) await provider.abort(tx, sets.ctx);
});

/** Writes to some places, and gives some back to the pool. */
function change(device: string, size: number, round: number): void {
  const fd = openSync(device, "r+");
  try {
    for (let number = 0; number < 5; number += 1) {
      const offset = Math.floor(Math.random() * (size / 4096)) * 4096;
      writeSync(fd, Buffer.alloc(4096, `${round}.${number} `), 0, 4096, offset);
    }
  } finally {
    closeSync(fd);
  }
  run("sync", []);
  const block = Math.floor(Math.random() * (size / MIB)) * MIB;
  run("blkdiscard", ["-o", `${block}`, "-l", `${MIB}`, device]);
}

/** Returns how many bytes were read. */
function apply({ to, data, holes }: Difference, copy: string): number {
  const [source, target] = [openSync(to, "r"), openSync(copy, "r+")];
  try {
    let read = 0;
    for (const [pairs, isData] of [
      [data, true],
      [holes, false],
    ] as const)
      for (let at = 0; at < pairs.length; at += 2) {
        const [offset = 0, length = 0] = pairs.slice(at, at + 2);
        const bytes = Buffer.alloc(length);
        if (isData) read += readSync(source, bytes, 0, length, offset);
        writeSync(target, bytes, 0, length, offset);
      }
    return read;
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
