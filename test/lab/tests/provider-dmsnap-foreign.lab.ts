/** What provider-dmsnap leaves alone: other storage, and devices of others. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import type { Support } from "holdstill/plugin";
import provider from "@holdstill/provider-dmsnap";
import { locate } from "#core/plan/locate.js";
import { probeContext } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { Dmsnap } from "../support/dmsnap.js";
import { mapped, MappedDisk } from "../support/mapped-disk.js";
import { run, VolumeGroup } from "../support/volume-group.js";

const tableOf = (name: string): string => run("dmsetup", ["table", name]);

test("what lies on no plain device-mapper device is left to others, and it is said how it could be captured", async (t) => {
  const disk = new MappedDisk(t);
  const [match, said] = matching();
  assert.equal(await match(disk.volume("mirror", "ext4", 64, (span) => `delay ${span} 0`).mount), null);
  assert.equal(await match("/tmp"), null);
  assert.deepEqual(
    said.map((line) => line.replace(/.*?captured here: /, "")),
    [
      'MOUNT: its target delay is not one of linear, striped, crypt; to have it captured, put a linear mapping between the device and what uses it (README, "Getting there")',
      "/tmp: no block device is below it",
    ].map((line) => line.replace("MOUNT", `/mnt/${process.pid}/mirror`)),
  );
  const lvm = new VolumeGroup(t);
  assert.equal(await match(lvm.thick("data", "ext4", 32).mount), null);
  assert.match(said.at(-1) ?? "", /provider-lvm/);
});

test("a device of another program with a snapshot's name is not touched", async (t) => {
  const disk = new MappedDisk(t);
  const data = disk.volume("data", "ext4");
  const dmsnap = new Dmsnap(t, { size: "16M" }).cleanUp();
  const id = dmsnap.id();
  const foreign = ["data-holdstill-real", `data-holdstill-${id}.0`, `data-holdstill-${id}.0-layer`];
  const fake = (name: string): string => run("dmsetup", ["create", name, "--table", `0 8 linear ${disk.node} 0`]);
  for (const name of foreign.slice(0, 2)) {
    fake(name);
    const before = [mapped(), tableOf("data"), tableOf(name)];
    await assert.rejects(dmsnap.prepare(id, [data]), { code: "NAME_TAKEN" });
    await dmsnap.abort(id);
    assert.deepEqual([mapped(), tableOf("data"), tableOf(name)], before);
    run("dmsetup", ["remove", name]);
  }
  const { snapshots } = await dmsnap.take([data], id);
  const [snapshot] = snapshots;
  assert.ok(snapshot);
  for (const name of ["data-holdstill-other", "data-holdstill-20260101-000000-999999.0", ...foreign.slice(2)])
    fake(name);
  await assert.rejects(dmsnap.expose(snapshot), { code: "NAME_TAKEN" });
  await dmsnap.remove(snapshot);
  assert.equal(mapped().filter((name) => name.startsWith("data-holdstill-")).length, 3);
});

test("a device and a mount point with an odd name are taken as they are", async (t) => {
  const name = `-odd 'na"me $(reboot) ü`;
  process.env["DM_DEFAULT_NAME_MANGLING_MODE"] = "none";
  const disk = new MappedDisk(t);
  const [sectors, at] = [65536, `/mnt/${name}`];
  run("dmsetup", ["create", "--table", `0 ${sectors} linear ${disk.node} 2048`, "--", name]);
  onEnd(t, () => void run("dmsetup", ["remove", "--", name]));
  run("mkfs.ext4", ["-q", "-F", `/dev/mapper/${name}`]);
  mkdirSync(at);
  run("mount", ["--", `/dev/mapper/${name}`, at]);
  onEnd(t, () => void run("umount", ["--", at]));
  const dmsnap = new Dmsnap(t, { size: "4M" }).cleanUp();
  writeFileSync(`${at}/file`, "cut");
  const before = mapped();
  const { snapshots } = await dmsnap.take([{ name, fs: "ext4", mount: at, dm: name }]);
  const [snapshot] = snapshots;
  assert.ok(snapshot);
  writeFileSync(`${at}/file`, "later");
  assert.equal(readFileSync(`${await dmsnap.expose(snapshot)}/file`, "utf8"), "cut");
  assert.deepEqual(
    (await dmsnap.list()).map(({ lost }) => lost),
    [undefined],
  );
  await dmsnap.remove(snapshot);
  assert.deepEqual(mapped(), before);
});

/** Asks about the volume of a path; with all that is logged. */
function matching(): [(path: string) => Promise<Support>, string[]] {
  const said: string[] = [];
  const { ctx } = probeContext({ size: "auto", persistent: true }, "/tmp");
  const log = { ...ctx.log, info: (message: string) => said.push(message) };
  const match = async (path: string): Promise<Support> => {
    const [volume] = locate([{ paths: [path], exclude: [] }]).volumes;
    assert.ok(volume);
    return provider.match(volume, { ...ctx, log });
  };
  return [match, said];
}
