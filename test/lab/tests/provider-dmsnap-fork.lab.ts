/** provider-dmsnap: forks, encrypted origins, and what a dead transaction has left. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { Dmsnap } from "../rig/dmsnap.js";
import { MappedDisk, state } from "../rig/mapped-disk.js";
import { run } from "../rig/volume-group.js";

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
  await dmsnap.conceal(fork);
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
