/** provider-dmsnap on plain device-mapper devices of a real kernel. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { Dmsnap } from "../rig/dmsnap.js";
import { mapped, MappedDisk } from "../rig/mapped-disk.js";
import { run } from "../rig/volume-group.js";

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
  const picture = await dmsnap.expose(snapshot);
  assert.equal(readFileSync(`${picture}/file`, "utf8"), "precious\n");
  assert.throws(() => writeFileSync(`${picture}/file`, ""), /EROFS/);
  assert.equal(await dmsnap.expose(snapshot), picture);
  await dmsnap.conceal(snapshot);
  await dmsnap.remove(snapshot);
  assert.deepEqual([mapped(), tableOf("data"), run("losetup", ["--list"])], [before, table, ""]);
  assert.equal(readFileSync(`${data.mount}/file`, "utf8"), "overwritten\n");
});
