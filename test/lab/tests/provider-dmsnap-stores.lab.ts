/** Where provider-dmsnap saves what is overwritten, and what happens when there is no space left. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { Dmsnap } from "../support/dmsnap.js";
import { mapped, MappedDisk } from "../support/mapped-disk.js";
import { run } from "../support/volume-group.js";

test("on a block device each snapshot and each layer has a slice of its own; one that is not empty is refused", async (t) => {
  const disk = new MappedDisk(t);
  const [one, two, store] = [disk.volume("one", "ext4"), disk.volume("two", "ext4"), disk.store("store", 80)];
  await assert.rejects(new Dmsnap(t, { store: "/dev/mapper/one", size: "16M" }).take([two]), { code: "STORE" });
  const dmsnap = new Dmsnap(t, { store, size: "32M" }).cleanUp();
  for (const { mount, name } of [one, two]) writeFileSync(`${mount}/file`, name);
  const { snapshots } = await dmsnap.take([one, two]);
  for (const { mount } of [one, two]) writeFileSync(`${mount}/file`, "overwritten");
  await assert.rejects(new Dmsnap(t, { store, size: "1M" }).take([one]), { code: "STORE" });
  const starts = run("dmsetup", ["table"])
    .split("\n")
    .filter((line) => /cow:/.test(line));
  assert.deepEqual(starts.map((line) => line.split(" ").slice(2).join(" ")).toSorted(), [
    "65536 linear 254:3 2048",
    "65536 linear 254:3 67584",
  ]);
  await assert.rejects(dmsnap.take([one]), { code: "NO_SPACE" });
  const [first, second] = snapshots;
  assert.ok(first && second);
  await assert.rejects(dmsnap.expose(second), { code: "NO_SPACE" });
  await dmsnap.remove(first);
  assert.equal(readFileSync(`${await dmsnap.expose(second)}/file`, "utf8"), "two");
  await dmsnap.remove(second);
  assert.deepEqual(mapped(), ["held-ubda", "one", "store", "two"]);
});

test("in memory a snapshot is transient, whatever the config says", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { store: "memory", persistent: true }).cleanUp();
  writeFileSync(`${data.mount}/file`, "precious");
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  assert.equal(snapshot.method, "dm-snapshot, transient");
  writeFileSync(`${data.mount}/file`, "overwritten");
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "precious");
  await assert.rejects(dmsnap.revert(snapshot), { code: "UNSUPPORTED" });
  await dmsnap.remove(snapshot);
  assert.deepEqual(readdirSync("/dev/shm/holdstill-dmsnap"), []);
});

test("a snapshot that has overflowed is told to be invalid, is not shown, and does not hurt its origin", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "8M" }).cleanUp();
  const [snapshot] = (await dmsnap.take([data])).snapshots;
  assert.ok(snapshot);
  const [empty] = await dmsnap.list();
  writeFileSync(`${data.mount}/some`, Buffer.alloc(256 * 1024, 1));
  run("sync", []);
  const [filling] = await dmsnap.list();
  assert.ok((filling?.usage?.percent ?? 0) > (empty?.usage?.percent ?? 100), JSON.stringify([empty, filling]));
  assert.equal(filling?.usage?.where, snapshot.facts?.["device"]);
  writeFileSync(`${data.mount}/much`, Buffer.alloc(24 * 1024 ** 2, 1));
  run("sync", []);
  const [overflowed] = await dmsnap.list();
  assert.match(overflowed?.lost ?? "", /overflowed/);
  assert.equal(overflowed?.usage, undefined);
  await assert.rejects(dmsnap.expose(snapshot), { code: "OVERFLOWED" });
  await assert.rejects(dmsnap.revert(snapshot), { code: "BUSY" });
  await dmsnap.remove(snapshot);
  assert.equal(readFileSync(`${data.mount}/much`).length, 24 * 1024 ** 2);
});

test("a snapshot that overflows before it is sealed fails its transaction", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "2M" }).cleanUp();
  const id = dmsnap.id();
  await dmsnap.hold(await dmsnap.prepare(id, [data]));
  writeFileSync(`${data.mount}/much`, Buffer.alloc(8 * 1024 ** 2, 1));
  run("sync", []);
  await assert.rejects(dmsnap.seal(id), { code: "OVERFLOWED" });
  await dmsnap.abort(id);
  assert.deepEqual(mapped(), ["data", "held-ubda"]);
});

test("too little room, and a store on what is captured, are refused before anything is made", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const before = [mapped(), run("dmsetup", ["table", "data"])];
  const refuse = async (options: object, code: string): Promise<void> => {
    const dmsnap = new Dmsnap(t, options);
    await assert.rejects(dmsnap.prepare(dmsnap.id(), [data]), { code });
    assert.deepEqual(
      [mapped(), run("dmsetup", ["table", "data"]), existsSync(`${dmsnap.dataDir}/registry`)],
      [...before, false],
    );
  };
  await refuse({ store: `${data.mount}/cow` }, "STORE");
  run("mount", ["-o", "remount,size=20M", "/var/tmp"]);
  await refuse({ store: "/var/tmp/cow", size: "100%ORIGIN" }, "NO_SPACE");
});
