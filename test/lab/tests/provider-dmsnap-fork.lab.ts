/** provider-dmsnap: forks, encrypted origins, ones on multipath, and what a dead transaction has left. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { Dmsnap } from "../support/dmsnap.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { run } from "../support/volume-group.js";

const keyedTable = (name: string): string => run("dmsetup", ["table", "--showkeys", name]);

test("a fork is written to while the snapshot stays as it was cut, and goes with it", async (t) => {
  const data = new MappedDisk(t).volume("data", "xfs");
  const dmsnap = new Dmsnap(t, { size: "32M" }).cleanUp();
  const before = state();
  writeFileSync(`${data.mount}/file`, "cut");
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  writeFileSync(`${data.mount}/file`, "later");
  const fork = await dmsnap.fork(snapshot);
  assert.deepEqual([fork.of, fork.setId], [snapshot.id, snapshot.setId]);
  writeFileSync(`${await dmsnap.expose(fork, "writable")}/file`, "repaired");
  await dmsnap.unexpose(fork);
  await assert.rejects(dmsnap.expose(snapshot, "writable"), { code: "EXPOSED" });
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "cut");
  assert.equal(readFileSync(`${await dmsnap.expose(fork)}/file`, "utf8"), "repaired");
  await dmsnap.remove(snapshot);
  await dmsnap.remove(fork);
  assert.deepEqual(state(), before);
});

test("an encrypted device is captured, gets its key back, and nothing has the key on disk", async (t) => {
  const key = `${"0123456789abcdef".repeat(2)}${"fedcba9876543210".repeat(2)}`;
  const data = new MappedDisk(t).volume("data", "ext4", 32, (span) => {
    const [node = "", start = ""] = span.split(" ");
    return `crypt aes-xts-plain64 ${key} 0 ${node} ${start}`;
  });
  const dmsnap = new Dmsnap(t, { size: "8M" }).cleanUp();
  const before = keyedTable("data");
  assert.match(before, new RegExp(key));
  writeFileSync(`${data.mount}/file`, "cut");
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  writeFileSync(`${data.mount}/file`, "later");
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "cut");
  assert.equal(run("sh", ["-c", `grep -rl ${key} ${dmsnap.dataDir}/registry || true`]), "");
  await dmsnap.remove(snapshot);
  assert.equal(keyedTable("data"), before);
  assert.equal(readFileSync(`${data.mount}/file`, "utf8"), "later");
});

test("a linear mapping over a multipath device is captured, and the multipath device keeps its table", async (t) => {
  const disk = new MappedDisk(t);
  const paths = `1 1 round-robin 0 1 1 ${disk.store("path", 32)} 1000`;
  // By bio, as the one path here is itself a mapping; multipathd's devices have this kind of UUID.
  const table = `0 65536 multipath 2 queue_mode bio 0 ${paths}`;
  run("dmsetup", ["create", "mpatha", "--uuid", "mpath-3600508b400105e210000900000490000", "--table", table]);
  const data = disk.volumeOn("data", "ext4", "/dev/mapper/mpatha");
  const dmsnap = new Dmsnap(t, { size: "8M" }).cleanUp();
  const before = state();
  writeFileSync(`${data.mount}/file`, "cut");
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  assert.match(run("dmsetup", ["table", "mpatha"]), / multipath /);
  writeFileSync(`${data.mount}/file`, "later");
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "cut");
  await dmsnap.remove(snapshot);
  assert.deepEqual(state(), before);
});

test("what a transaction that died in prepare has left does not hinder the next one, and its abort does not hurt that", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4", 32);
  const dmsnap = new Dmsnap(t, { size: "4M" }).cleanUp();
  const before = state();
  const dead = dmsnap.id();
  await dmsnap.prepare(dead, [data]);
  writeFileSync(`${data.mount}/file`, "cut");
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  await dmsnap.abort(dead);
  writeFileSync(`${data.mount}/file`, "later");
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "cut");
  await dmsnap.remove(snapshot);
  assert.deepEqual(state(), before);
});
