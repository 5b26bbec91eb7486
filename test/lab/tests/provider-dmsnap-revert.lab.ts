/** provider-dmsnap puts a snapshot back into its origin, and together again after the machine went down. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Snapshot } from "holdstill/plugin";
import { Dmsnap } from "../support/dmsnap.js";
import { mapped, MappedDisk } from "../support/mapped-disk.js";
import { type MountedVolume, run } from "../support/volume-group.js";

const tableOf = (name: string): string => run("dmsetup", ["table", name]);

/** The devices of a snapshot vanish as with the kernel that had them: its file system stays dirty, and the boot is another one. */
function crash(dmsnap: Dmsnap, { mount, dm }: MountedVolume, snapshots: readonly Snapshot[], table: string): void {
  run("xfs_io", ["-x", "-c", "shutdown", mount]);
  run("umount", [mount]);
  forget(dmsnap, dm, snapshots, table);
}

function forget(dmsnap: Dmsnap, dm: string, snapshots: readonly Snapshot[], table: string): void {
  for (const { id } of snapshots) {
    run("dmsetup", ["remove", `${dm}-holdstill-${id}`]);
    const file = path.join(dmsnap.dataDir, "registry", `${id}.json`);
    const entry = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...entry, bootId: "another" }));
  }
  run("dmsetup", ["remove", dm, `${dm}-holdstill-real`]);
  run("losetup", ["--detach-all"]);
  run("dmsetup", ["create", dm, "--table", table]);
}

test("revert puts the snapshot back, keeps the snapshot and other ones, and refuses while the origin is mounted", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "16M" }).cleanUp();
  const table = tableOf("data");
  const file = `${data.mount}/file`;
  writeFileSync(file, "first");
  const [first] = (await dmsnap.take([data])).snapshots;
  writeFileSync(file, "second");
  const [second] = (await dmsnap.take([data])).snapshots;
  writeFileSync(file, "third");
  assert.ok(first && second);
  await assert.rejects(dmsnap.revert(first), { code: "BUSY" });
  run("umount", [data.mount]);
  await dmsnap.revert(first);
  run("mount", ["/dev/mapper/data", data.mount]);
  assert.equal(readFileSync(file, "utf8"), "first");
  writeFileSync(file, "fourth");
  for (const [snapshot, word] of [
    [first, "first"],
    [second, "second"],
  ] as const) {
    assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), word);
    await dmsnap.remove(snapshot);
  }
  assert.deepEqual([mapped(), tableOf("data"), readFileSync(file, "utf8")], [["data", "held-ubda"], table, "fourth"]);
});

test("before a revert what was there is kept in a snapshot of its own, which is right afterwards, where there is room", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "16M" }).cleanUp();
  const file = `${data.mount}/file`;
  writeFileSync(file, "first");
  const [first] = (await dmsnap.take([data])).snapshots;
  writeFileSync(file, "second");
  assert.ok(first);
  await assert.rejects(dmsnap.preserve(first), { code: "BUSY" });
  run("umount", [data.mount]);
  const safety = await dmsnap.preserve(first);
  await dmsnap.revert(first);
  run("mount", ["/dev/mapper/data", data.mount]);
  assert.equal(readFileSync(file, "utf8"), "first");
  assert.equal(readFileSync(`${await dmsnap.expose(safety)}/file`, "utf8"), "second");
  await dmsnap.unexpose(safety);
  run("umount", [data.mount]);
  await dmsnap.revert(safety);
  run("mount", ["/dev/mapper/data", data.mount]);
  assert.equal(readFileSync(file, "utf8"), "second");
  run("umount", [data.mount]);
  const used = Number(run("df", ["--output=used", "-B1M", "/tmp"]).split("\n")[1]);
  run("mount", ["-o", `remount,size=${used + 20}M`, "/tmp"]);
  await assert.rejects(dmsnap.preserve(first), { code: "NO_SAFETY" });
  run("mount", ["-o", "remount,size=50%", "/tmp"]);
  run("mount", ["/dev/mapper/data", data.mount]);
});

test("after a crash of the machine a persistent snapshot is put together again", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "16M" }).cleanUp();
  const table = tableOf("data");
  const file = `${data.mount}/file`;
  writeFileSync(file, "first");
  const { snapshots } = await dmsnap.take([data]);
  writeFileSync(file, "second");
  run("sync", []);
  const [snapshot] = snapshots;
  assert.ok(snapshot);
  crash(dmsnap, data, snapshots, table);
  assert.deepEqual(
    (await dmsnap.list()).map(({ facts }) => facts?.["state"]),
    ["detached"],
  );
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "first");
  run("mount", ["/dev/mapper/data", data.mount]);
  assert.equal(readFileSync(file, "utf8"), "second");
  writeFileSync(file, "third");
  run("sync", []);
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "first");
  await dmsnap.remove(snapshot);
  assert.deepEqual([mapped(), tableOf("data")], [["data", "held-ubda"], table]);
});

test("a snapshot whose origin was written to past it is never shown", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "16M" }).cleanUp();
  const table = tableOf("data");
  const cases: Record<string, (snapshots: readonly Snapshot[]) => void> = {
    "mounted after a crash": (snapshots) => {
      crash(dmsnap, data, snapshots, table);
      run("mount", ["/dev/mapper/data", data.mount]);
      run("xfs_io", ["-x", "-c", "shutdown", data.mount]);
      run("umount", [data.mount]);
    },
    "replayed after a crash": (snapshots) => {
      crash(dmsnap, data, snapshots, table);
      run("e2fsck", ["-E", "journal_only", "-p", "/dev/mapper/data"]);
    },
    "unmounted before the machine went down": (snapshots) => {
      run("umount", [data.mount]);
      forget(dmsnap, "data", snapshots, table);
    },
    "opened past it": () => {
      run("dmsetup", ["load", "data", "--table", table]);
      run("dmsetup", ["resume", "data"]);
    },
  };
  for (const [name, happen] of Object.entries(cases)) {
    const { snapshots } = await dmsnap.take([data]);
    const [snapshot] = snapshots;
    assert.ok(snapshot);
    happen(snapshots);
    await assert.rejects(dmsnap.expose(snapshot), { code: "BYPASSED" }, name);
    await assert.rejects(
      dmsnap.revert(snapshot),
      (error: { code?: string }) =>
        error.code === "BYPASSED" || error.code === "BUSY" || error.code === "UNKNOWN_SNAPSHOT",
      name,
    );
    await dmsnap.remove(snapshot);
    assert.deepEqual([mapped(), tableOf("data")], [["data", "held-ubda"], table], name);
    if (name !== "opened past it") run("mount", ["/dev/mapper/data", data.mount]);
  }
});
