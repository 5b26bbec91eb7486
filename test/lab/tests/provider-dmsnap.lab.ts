/** provider-dmsnap on plain device-mapper devices of a real kernel. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-dmsnap";
import type { Snapshot } from "holdstill/plugin";
import { Dmsnap } from "../support/dmsnap.js";
import { volumesOf } from "../support/lvm-set.js";
import { mapped, MappedDisk } from "../support/mapped-disk.js";
import { run } from "../support/volume-group.js";

/** With how much of its store is used. */
const statusOf = ({ facts }: Snapshot): string => run("dmsetup", ["status", String(facts?.["device"])]);
const tableOf = (name: string): string => run("dmsetup", ["table", name]);

test("a snapshot shows what was there, the origin goes on, and removing it leaves nothing", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t);
  writeFileSync(`${data.mount}/file`, "precious\n");
  const [before, table] = [mapped(), tableOf("data")];
  const { snapshots } = await dmsnap.take([data]);
  const [snapshot] = snapshots;
  assert.ok(snapshot);
  assert.match(tableOf("data"), /^0 131072 snapshot-origin /);
  writeFileSync(`${data.mount}/file`, "overwritten\n");
  const tree = await dmsnap.expose(snapshot);
  assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
  assert.throws(() => writeFileSync(`${tree}/file`, ""), /EROFS/);
  assert.equal(await dmsnap.expose(snapshot), tree);
  await dmsnap.unexpose(snapshot);
  await dmsnap.remove(snapshot);
  assert.deepEqual([mapped(), tableOf("data"), run("losetup", ["--list"])], [before, table, ""]);
  assert.equal(readFileSync(`${data.mount}/file`, "utf8"), "overwritten\n");
});

test("an XFS that has its log on another device is not captured, and the reason is said", async (t) => {
  const disk = new MappedDisk(t);
  const [data, log] = [disk.store("data", 320), disk.store("log", 64)];
  run("mkfs.xfs", ["-q", "-f", "-l", `logdev=${log}`, data]);
  const mount = `/mnt/${process.pid}-log`;
  mkdirSync(mount, { recursive: true });
  run("mount", ["-o", `logdev=${log}`, data, mount]);
  const [volume = assert.fail()] = volumesOf([mount]);
  const { ctx } = new Dmsnap(t);
  const said: string[] = [];
  assert.equal(await provider.match(volume, { ...ctx, log: { ...ctx.log, info: (text) => said.push(text) } }), null);
  assert.match(said.join("\n"), /its log is on \/dev\/mapper\/log/);
});

test("several snapshots of one origin keep apart, and go in any order; the origin gets its table back with the last", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "16M" }).cleanUp();
  const table = tableOf("data");
  const snapshots: Snapshot[] = [];
  for (const word of ["first", "second", "third"]) {
    writeFileSync(`${data.mount}/file`, word);
    snapshots.push(...(await dmsnap.take([data])).snapshots);
  }
  writeFileSync(`${data.mount}/file`, "last");
  const [first, second, third] = snapshots;
  assert.ok(first && second && third);
  await dmsnap.remove(second);
  for (const [snapshot, word] of [
    [first, "first"],
    [third, "third"],
  ] as const) {
    assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), word);
  }
  await dmsnap.remove(first);
  assert.match(tableOf("data"), /snapshot-origin/);
  await dmsnap.remove(third);
  assert.deepEqual([mapped(), tableOf("data")], [["data", "held-ubda"], table]);
  await dmsnap.remove(third);
  assert.equal(readFileSync(`${data.mount}/file`, "utf8"), "last");
});

test("what is written to a scratch view is gone with it, and what is written to a writable one stays", async (t) => {
  const data = new MappedDisk(t).volume("data", "xfs");
  const dmsnap = new Dmsnap(t, { size: "32M" }).cleanUp();
  const { snapshots } = await dmsnap.take([data]);
  const [snapshot] = snapshots;
  assert.ok(snapshot);
  const pristine = statusOf(snapshot);
  writeFileSync(`${await dmsnap.expose(snapshot, "scratch")}/scratch`, "");
  assert.equal(statusOf(snapshot), pristine, "the replay of the journal does not go into the snapshot");
  await assert.rejects(dmsnap.expose(snapshot, "writable"), { code: "EXPOSED" });
  await dmsnap.unexpose(snapshot);
  const writable = await dmsnap.expose(snapshot, "writable");
  assert.deepEqual(readdirSync(writable), []);
  writeFileSync(`${writable}/kept`, "");
  await dmsnap.unexpose(snapshot);
  await dmsnap.unexpose(snapshot);
  assert.deepEqual(readdirSync(await dmsnap.expose(snapshot)), ["kept"]);
  assert.deepEqual(readdirSync(data.mount), []);
});
