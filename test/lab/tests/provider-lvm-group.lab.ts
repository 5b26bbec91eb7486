/** Volume groups in which LVM would make no snapshot: `plan` says so before anything is touched. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import { onEnd } from "../../support/process/on-end.js";
import { commandLine } from "../support/command-line.js";
import { lvmSets, type Options, volumesOf } from "../support/lvm-set.js";
import { freeDisk, run, VolumeGroup } from "../support/volume-group.js";

/** What match says of a mounted volume: "captured", or the code, message, and hint of its refusal. */
async function verdictOn(t: TestContext, mount: string, options: Partial<Options> = {}): Promise<string> {
  const { ctx } = lvmSets(t, options);
  const [volume = assert.fail()] = volumesOf([mount]);
  return provider.match(volume, ctx).then(
    (support) => (support === null ? "none" : "captured"),
    ({ code, message, hint }: { code: string; message: string; hint: string }) => `${code}: ${message} ${hint}`,
  );
}

test("a group without free extents is refused by plan and doctor, with the command that helps", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4", 64);
  assert.equal(await verdictOn(t, mount), "captured");
  vg.lvm("lvcreate", ["-y", "-l", "100%FREE", "-n", "filler", vg.name]);
  assert.match(await verdictOn(t, mount), new RegExp(`^NO_SPACE: .* 0 B free.* vgextend ${vg.name}`));
  const command = commandLine(t, [{ use: "provider-lvm" }]);
  const planned = await command(["plan", mount]);
  assert.equal(planned.exitCode, 3, planned.stderr);
  assert.match((await command(["doctor", "--json"])).stdout, new RegExp(`vgextend ${vg.name}`));
  vg.lvm("lvremove", ["-y", `${vg.name}/filler`]);
  const disk = vg.lvm("pvs", ["--noheadings", "-o", "pv_name", "-S", `vg_name=${vg.name}`]).trim();
  run("pvchange", ["-q", "-x", "n", disk]);
  assert.match(await verdictOn(t, mount), /^NO_SPACE: .* 0 B free/);
  run("pvchange", ["-q", "-x", "y", disk]);
  assert.equal(await verdictOn(t, mount), "captured");
});

test("a group with a limit on volumes, or without a disk, is refused", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4", 64);
  run("vgchange", ["-q", "--logicalvolume", "1", vg.name]);
  assert.match(await verdictOn(t, mount), /^UNSUPPORTED: .* has 1 volumes, and its limit is 1. .*--logicalvolume 2/);
  run("vgchange", ["-q", "--logicalvolume", "0", vg.name]);
  assert.equal(await verdictOn(t, mount), "captured");
  const disk = freeDisk();
  run("vgextend", ["-q", vg.name, disk]);
  const hide = hidden(t, disk);
  assert.match(await verdictOn(t, mount), /^UNSUPPORTED: .* 1 of its disks are missing.*vgreduce --removemissing/);
  hide.end();
  run("vgreduce", ["-q", vg.name, disk]);
  run("wipefs", ["-q", "-a", disk]);
  assert.equal(await verdictOn(t, mount), "captured");
});

test("a logical volume that a filter hides from LVM is named, and not copied instead", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4", 64);
  const hide = hidden(t, ".*");
  assert.match(await verdictOn(t, mount), new RegExp(`^HIDDEN: .*${vg.name}-data, which LVM does not report`));
  hide.end();
  assert.equal(await verdictOn(t, mount), "captured");
});

test("a thin pool that is fuller than it may be is refused by match", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 100);
  const { mount } = vg.thin("pool", "thin", "ext4", 48);
  assert.match(await verdictOn(t, mount, { poolLimit: 1 }), /^POOL_FULL: /);
});

/** LVM sees no disk whose name matches, until `end`. */
function hidden(t: TestContext, disk: string): { end: () => void } {
  const conf = "/etc/lvm/lvm.conf";
  const before = readFileSync(conf, "utf8");
  const end = (): void => writeFileSync(conf, before);
  onEnd(t, end);
  writeFileSync(conf, before.replace("filter = [", `filter = [ "r|${disk}|",`));
  return { end };
}
