/** What becomes of provider-lvm's transactions and snapshots where room runs out while they are there. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { tempDir } from "../../support/storage/temp.js";
import { commit, lvmSets, transaction, volumesOf } from "../support/lvm-set.js";
import { checkAll, stateOf } from "../support/lvm-state.js";
import { run, VolumeGroup } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

test("a thick snapshot that overflows before it is sealed fails its transaction, and its origin goes on", async (t) => {
  const vg = new VolumeGroup(t);
  const volume = vg.thick("data", "ext4", 64);
  const { ctx } = lvmSets(t, { size: "16M" });
  const before = stateOf(vg);
  const tx = transaction();
  const planned = volumesOf([volume.mount]);
  await commit(await provider.prepare(tx, planned, ctx), planned);
  pour(`${volume.mount}/much`, 32);
  await assert.rejects(provider.seal(tx, ctx), { code: "INVALID" });
  await provider.abort(tx, ctx);
  assert.equal(stateOf(vg), before);
  assert.equal(readFileSync(`${volume.mount}/much`).length, 32 * 2 ** 20);
  checkAll(vg, [volume]);
});

test("a pool that fills to the last block keeps the snapshots that it has, takes no more, and goes on when some are removed", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 96);
  const volume = vg.thin("pool", "data", "ext4", 160);
  // As an operator wants it for a database: an error, not a minute's silence.
  vg.lvm("lvchange", ["--errorwhenfull", "y", `${vg.name}/pool`]);
  const file = `${volume.mount}/file`;
  writeFileSync(file, "precious\n");
  const sets = lvmSets(t);
  const { snapshots } = await sets.take([volume.mount]);
  const [snapshot] = snapshots as [Snapshot];
  writeFileSync(file, "later\n");
  // Prepared before the pool is full, and committed afterwards.
  const [tx, planned] = [transaction(), volumesOf([volume.mount])];
  const section = await provider.prepare(tx, planned, sets.ctx);
  assert.throws(() => pour(`${volume.mount}/much`, 140), /ENOSPC|EIO/);
  const outcome = await commit(section, planned)
    .then(() => provider.seal(tx, sets.ctx))
    .then(
      () => "taken",
      () => "failed",
    );
  t.diagnostic(`a transaction in whose midst the pool filled: ${outcome}`);
  await provider.abort(tx, sets.ctx);
  const [listed] = await listAll(provider, sets.ctx);
  assert.ok((listed?.usage?.percent ?? 0) > 99, JSON.stringify(listed));
  assert.equal(listed?.usage?.where, `${vg.name}/pool`);
  assert.match(sets.warnings.join("\n"), /thin pool \S+: its data is (99\.\d+|100) % full/);
  await assert.rejects(sets.take([volume.mount]), { code: "POOL_FULL" });
  assert.equal(readFileSync(`${(await sets.expose(snapshot))[0]}/file`, "utf8"), "precious\n");
  await provider.remove(snapshot, sets.ctx);
  assert.deepEqual(await listAll(provider, sets.ctx), []);
  run("umount", [volume.mount]);
  vg.lvm("lvextend", ["-L", "+96M", `${vg.name}/pool`]);
  run("sh", ["-c", `fsck.ext4 -f -y /dev/mapper/${volume.dm} || [ $? -le 1 ]`]);
  run("mount", [`/dev/mapper/${volume.dm}`, volume.mount]);
  const again = await sets.take([volume.mount]);
  for (const one of again.snapshots) await provider.remove(one, sets.ctx);
  checkAll(vg, [volume]);
});

test("an error in the midst of the commit, and an origin that goes before it, leave nothing", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 100);
  const volumes = [vg.thick("thick", "ext4", 48), vg.thin("pool", "thin", "ext4", 48)];
  // Not by the rig, which would want it back.
  const last = `${tempDir(t)}/last`;
  vg.lvm("lvcreate", ["-y", "-L", "48M", "-n", "last", vg.name]);
  run("mkfs.ext4", ["-q", `/dev/${vg.name}/last`]);
  mkdirSync(last);
  run("mount", [`/dev/${vg.name}/last`, last]);
  const mounts = [...volumes.map(({ mount }) => mount), last];
  const { ctx } = lvmSets(t);
  const before = stateOf(vg);
  const tx = transaction();
  const planned = volumesOf(mounts);
  const section = await provider.prepare(tx, planned, ctx);
  // The pool refuses the second of the three snapshots, by a number that is given out already.
  const id = vg.lvm("lvs", ["--noheadings", "-o", "thin_id", `${vg.name}/thin-holdstill-${tx.id}`]).trim();
  run("dmsetup", ["message", vg.dm("pool", "tpool"), "0", `create_thin ${id}`]);
  await assert.rejects(commit(section, planned), { code: "E_HOLD_FAILED" });
  for (const mount of mounts) writeFileSync(`${mount}/goes-on`, "");
  await provider.abort(tx, ctx);
  assert.equal(stateOf(vg), before);

  const next = transaction();
  const prepared = await provider.prepare(next, planned, ctx);
  run("umount", [last]);
  vg.lvm("lvremove", ["-f", "-y", `${vg.name}/last`]);
  await assert.rejects(commit(prepared, planned), { code: "E_HOLD_REFUSED" });
  await provider.abort(next, ctx);
  assert.doesNotMatch(stateOf(vg), /holdstill/);
  checkAll(vg, volumes);
});

/** Writes so many MiB down to the disk. */
function pour(file: string, mib: number): void {
  writeFileSync(file, Buffer.alloc(mib * 2 ** 20, 1), { flush: true });
}
