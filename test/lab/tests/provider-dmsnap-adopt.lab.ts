/** The state directory is lost while snapshots exist: they fill up, and their origins go on through them. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { RecoverDocument } from "#core/base/schema/types.js";
import type { SnapshotSet } from "holdstill/plugin";
import { tempDir } from "../../support/storage/temp.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { Dmsnap } from "../support/dmsnap.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { compare, exposedIn, fill, wipe } from "../support/raw-device.js";
import { run } from "../support/volume-group.js";

for (const store of ["folder", "memory", "device"] as const) {
  test(`with a store in a ${store}, recover and doctor name them, and they are adopted, restored, and deleted`, async (t) => {
    const disk = new MappedDisk(t);
    const volumes =
      store === "folder" ? [disk.volume("one", "ext4"), disk.volume("two", "xfs")] : [disk.volume("one", "ext4")];
    for (const { mount } of volumes) writeFileSync(`${mount}/file`, "precious\n");
    const place = store === "device" ? { store: disk.store("cow", 128) } : store === "memory" ? { store } : {};
    const config = configFile(t, [{ use: "provider-dmsnap", options: { size: "16M", ...place } }]);
    const command = commandLineWith(t, config);
    const before = state();
    const created = await command(["create", ...volumes.map(({ mount }) => mount)]);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.equal((await command(["expose", "latest"])).exitCode, 0);
    const { id } = (await command(["show", "latest", "--json"])).json() as SnapshotSet;
    for (const { mount } of volumes) writeFileSync(`${mount}/file`, "spoilt\n");
    rmSync(path.join(path.dirname(config), "state"), { recursive: true });

    assert.match((await command(["doctor"])).stdout.replaceAll(/\s+/g, " "), new RegExp(`set ${id}, which has no`));
    const named = (await command(["recover"])).stdout.replaceAll(/\s+/g, " ");
    assert.match(named, new RegExp(`of set ${id}`));
    const adopted = await command(["recover", "--adopt", "--yes", "--json"]);
    const { done, residue } = adopted.json() as RecoverDocument;
    assert.deepEqual([done.map((one) => one.type), residue], [["unrecorded"], []], adopted.stderr);
    const elsewhere = path.join(tempDir(t), "elsewhere");
    const restored = await command(["restore", "latest", "--to", elsewhere, "--yes"]);
    assert.equal(restored.exitCode, 0, restored.stderr);
    for (const { mount } of volumes) {
      assert.equal(readFileSync(path.join(elsewhere, mount, "file"), "utf8"), "precious\n");
    }
    const deleted = await command(["delete", "latest", "--yes"]);
    assert.equal(deleted.exitCode, 0, deleted.stderr);
    assert.deepEqual([state(), run("losetup", ["--list"])], [before, ""]);
    assert.match((await command(["recover"])).stdout, /Nothing is left over/);
  });
}

test("a raw device is adopted as what it is, also with a file system in it, then exposed, reverted, and its set deleted", async (t) => {
  const disk = new MappedDisk(t);
  const device = disk.store("raw", 8);
  const config = configFile(t, [{ use: "provider-dmsnap", options: { size: "16M" } }]);
  const command = commandLineWith(t, config);
  const before = state();
  const contents = fill(t, device);
  // As the disk of a virtual machine that has no partitions.
  run("mkfs.ext4", ["-q", contents]);
  run("dd", [`if=${contents}`, `of=${device}`, "bs=1M", "oflag=direct", "status=none"]);
  assert.equal((await command(["create", device])).exitCode, 0);
  assert.equal((await command(["expose", "latest"])).exitCode, 0);
  wipe(device);
  rmSync(path.join(path.dirname(config), "state"), { recursive: true });
  const adopted = await command(["recover", "--adopt", "--yes", "--json"]);
  const { done, residue } = adopted.json() as RecoverDocument;
  assert.deepEqual([done.map((one) => one.type), residue], [["unrecorded"], []], adopted.stderr);
  const set = (await command(["show", "latest", "--json"])).json() as SnapshotSet;
  const [volume] = set.volumes;
  assert.deepEqual([volume?.kind, volume?.paths, set.consistency], ["block", [device], "crash"]);
  const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  compare(exposedIn(exposed, device).path, contents);
  assert.equal((await command(["unexpose", "latest"])).exitCode, 0);
  const reverted = await command(["revert", "latest", "--yes"]);
  assert.equal(reverted.exitCode, 0, reverted.stdout + reverted.stderr);
  compare(device, contents);
  const { sets } = (await command(["list", "--json"])).json() as { sets: SnapshotSet[] };
  for (const { id } of sets) assert.equal((await command(["delete", id, "--yes"])).exitCode, 0);
  assert.deepEqual([state(), run("losetup", ["--list"])], [before, ""]);
});

test("with the origin unmounted, and with a fork, they are named and removed", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const before = state();
  const dmsnap = new Dmsnap(t);
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  const fork = await dmsnap.fork(snapshot);
  const late = new Dmsnap(t).cleanUp();
  run("umount", [data.mount]);
  const listed = (await late.list()).map(({ id, of, volume }) => ({ id, of, volume }));
  assert.deepEqual(listed, [
    { id: snapshot.id, of: undefined, volume: undefined },
    { id: fork.id, of: snapshot.id, volume: undefined },
  ]);
  await assert.rejects(late.expose(snapshot), { code: "UNKNOWN_SNAPSHOT" });
  await late.remove(snapshot);
  assert.deepEqual([state(), run("losetup", ["--list"])], [before, ""]);
});
