/** How provider-lvm shows its snapshots, writes to them and goes back to them. */
import assert from "node:assert/strict";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { onEnd } from "../../rig/on-end.js";
import { type LvmSets, lvmSets } from "../rig/lvm-set.js";
import { run, VolumeGroup } from "../rig/volume-group.js";

test("each view shows what was there at the cut, and only a writable one changes the snapshot", async (t) => {
  const { sets, thick, thin, vg } = stage(t);
  // A file that is deleted and still open is an orphan, which a file system wants to clean up when it is mounted.
  const orphan = openSync(`${thin.mount}/srv/orphan`, "w");
  writeFileSync(orphan, "gone");
  rmSync(`${thin.mount}/srv/orphan`);
  const { snapshots } = await sets.take([`${thick.mount}/srv`, `${thin.mount}/srv`]);
  closeSync(orphan);
  for (const { mount } of [thick, thin]) writeFileSync(`${mount}/srv/file`, "changed\n");
  for (const snapshot of snapshots) {
    await t.test(`${snapshot.method}`, async () => {
      const seen: string[] = [];
      for (const access of ["read-only", "scratch", "read-only", "writable"] as const) {
        const [tree = ""] = await sets.expose(snapshot, access);
        assert.deepEqual(await sets.expose(snapshot, access), [tree]);
        assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
        assert.deepEqual(readdirSync(tree), ["file"]);
        if (access === "read-only") assert.throws(() => writeFileSync(`${tree}/new`, ""), /EROFS/);
        else writeFileSync(`${tree}/new`, access);
        await provider.conceal(snapshot, sets.ctx);
        assert.equal(existsSync(tree), false);
        seen.push(digest(vg, snapshot));
      }
      assert.deepEqual(new Set(seen.slice(0, 3)).size, 1, "a view has changed the snapshot");
      assert.notEqual(seen[3], seen[0]);
      const [tree = ""] = await sets.expose(snapshot);
      assert.equal(readFileSync(`${tree}/new`, "utf8"), "writable");
      await assert.rejects(sets.expose(snapshot, "scratch"), { code: "BUSY" });
      await provider.remove(snapshot, sets.ctx);
      await provider.remove(snapshot, sets.ctx);
      await provider.conceal(snapshot, sets.ctx);
    });
  }
  assert.doesNotMatch(vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name", vg.name]), /holdstill/);
  assert.doesNotMatch(run("dmsetup", ["ls"]), /holdstill/);
});

test("a fork of a thin snapshot can be changed, and the snapshot stays as it was cut", async (t) => {
  const { sets, thick, thin } = stage(t);
  const { snapshots, tx } = await sets.take([`${thin.mount}/srv`, `${thick.mount}/srv`]);
  const [first, second] = snapshots;
  assert.ok(first && second);
  const fork = await provider.fork?.(first, sets.ctx);
  assert.ok(fork);
  assert.equal(fork.of, first.id);
  assert.equal(fork.setId, tx.id);
  const [changed = ""] = await sets.expose(fork, "writable");
  writeFileSync(`${changed}/file`, "repaired\n");
  const [tree = ""] = await sets.expose(first);
  assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
  await provider.conceal(fork, sets.ctx);
  const [again = ""] = await sets.expose(fork);
  assert.equal(readFileSync(`${again}/file`, "utf8"), "repaired\n");
  await assert.rejects(provider.fork?.(second, sets.ctx) ?? Promise.resolve(), { code: "UNSUPPORTED" });
  const listed = await provider.list(sets.ctx);
  assert.deepEqual(listed.map(({ id }) => id).toSorted(), [fork.id, first.id, second.id].toSorted());
  await provider.abort(tx, sets.ctx);
  assert.deepEqual(await provider.list(sets.ctx), []);
});

test("what was mounted as a part of its file system is found in the picture", async (t) => {
  const { sets, thin } = stage(t);
  const bound = "/mnt/bound";
  mkdirSync(bound, { recursive: true });
  run("mount", ["--bind", `${thin.mount}/srv`, bound]);
  onEnd(t, () => void run("umount", [bound]));
  const { snapshots } = await sets.take([`${bound}/file`]);
  const [tree = ""] = await sets.expose(snapshots[0] as Snapshot);
  assert.equal(readFileSync(tree, "utf8"), "precious\n");
});

test("reverting brings the captured state back, but not below somebody's feet", async (t) => {
  const { sets, thick, thin, vg } = stage(t);
  const { snapshots } = await sets.take([`${thick.mount}/srv`, `${thin.mount}/srv`]);
  for (const [at, volume] of [thick, thin].entries()) {
    const snapshot = snapshots[at] as Snapshot;
    writeFileSync(`${volume.mount}/srv/file`, "spoilt\n");
    await assert.rejects(provider.revert?.(snapshot, sets.ctx) ?? Promise.resolve(), { code: "BUSY" });
    run("umount", [volume.mount]);
    await provider.revert?.(snapshot, sets.ctx);
    run("mount", [`/dev/${vg.name}/${volume.name}`, volume.mount]);
    assert.equal(readFileSync(`${volume.mount}/srv/file`, "utf8"), "precious\n");
    writeFileSync(`${volume.mount}/srv/file`, "goes on\n");
  }
  assert.deepEqual(await provider.list(sets.ctx), []);
});

interface Stage {
  sets: LvmSets;
  vg: VolumeGroup;
  thick: ReturnType<VolumeGroup["thick"]>;
  thin: ReturnType<VolumeGroup["thin"]>;
}

/** XFS on a thick volume and ext4 on a thin one, each with a file that has not reached the disk yet. */
function stage(t: TestContext): Stage {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const [thick, thin] = [vg.thick("thick", "xfs", 320), vg.thin("pool", "thin", "ext4", 64)];
  for (const { mount } of [thick, thin]) {
    mkdirSync(`${mount}/srv`);
    writeFileSync(`${mount}/srv/file`, "precious\n");
  }
  return { sets: lvmSets(t), vg, thick, thin };
}

/** Of all bytes that the snapshot has. */
function digest(vg: VolumeGroup, { id, method }: Snapshot): string {
  const name = id.slice(id.indexOf("/") + 1);
  if (method === "thin") vg.lvm("lvchange", ["-ay", "-K", id]);
  const sum = run("sha256sum", [`/dev/mapper/${vg.dm(name)}`]);
  if (method === "thin") vg.lvm("lvchange", ["-an", id]);
  return sum;
}
