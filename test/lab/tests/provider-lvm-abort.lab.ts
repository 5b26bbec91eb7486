/** What provider-lvm has made goes with an abort, whenever that comes; also what LVM itself has left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import provider from "@holdstill/provider-lvm";
import type { Context } from "holdstill/plugin";
import { commit, lvmSets, type Options, transaction, volumesOf } from "../support/lvm-set.js";
import { checkAll, furnish, mounts, stateOf } from "../support/lvm-state.js";
import { SlowDisk } from "../support/slow-disk.js";
import { run, VolumeGroup } from "../support/volume-group.js";

test("after the commit, and after the seal, an abort leaves nothing", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const sets = lvmSets(t);
  const before = stateOf(vg);
  const tx = transaction();
  const planned = volumesOf(mounts(volumes));
  await commit(await provider.prepare(tx, planned, sets.ctx), planned);
  for (const { mount } of volumes) writeFileSync(`${mount}/more`, "x".repeat(100_000));
  await provider.abort(tx, sets.ctx);
  assert.equal(stateOf(vg), before);
  const sealed = await sets.take(mounts(volumes));
  await sets.expose(sealed.snapshots[0] ?? assert.fail(), "scratch");
  await provider.abort(sealed.tx, sets.ctx);
  assert.equal(stateOf(vg), before);
  checkAll(vg, volumes);
});

for (const kind of ["thick", "thin"] as const) {
  test(`an lvcreate that is killed while it has a ${kind} origin suspended is undone`, async (t) => {
    const disk = new SlowDisk(t);
    const vg = new VolumeGroup(t, disk.node);
    if (kind === "thin") vg.pool("pool", 100);
    const volume = kind === "thin" ? vg.thin("pool", "data", "ext4", 64) : vg.thick("data", "ext4", 64);
    const { ctx } = lvmSets(t);
    const before = stateOf(vg);
    const tx = transaction();
    const planned = volumesOf([volume.mount]);
    disk.delay(200);
    await assert.rejects(provider.prepare(tx, planned, killing("lvcreate", volume.dm, ctx)), { code: "LVM_FAILED" });
    disk.delay(0);
    assert.equal(isSuspended(stateFileOf(volume.dm)), true);
    await provider.abort(tx, ctx);
    assert.equal(isSuspended(stateFileOf(volume.dm)), false);
    assert.equal(stateOf(vg), before);
    checkAll(vg, [volume]);
    const { snapshots } = await lvmSets(t).take([volume.mount]);
    assert.equal(snapshots.length, 1);
  });
}

/** Kills this command of LVM's by SIGKILL as soon as it has the device suspended. */
function killing(command: string, device: string, ctx: Context<Options>): Context<Options> {
  return {
    ...ctx,
    exec: async (program, args, options) => {
      if (args[0] !== command) return ctx.exec(program, args, options);
      const state = stateFileOf(device);
      const child = spawn(program, args, { stdio: "ignore" });
      const ended = once(child, "exit");
      while (child.exitCode === null && !isSuspended(state)) await sleep(1);
      child.kill("SIGKILL");
      await ended;
      return { exitCode: null, stdout: "", stderr: "" };
    },
  };
}

/** By way of sysfs: a program would take longer than the moment that it is about. */
function stateFileOf(device: string): string {
  const minor = run("dmsetup", ["info", "-c", "--noheadings", "-o", "minor", device]).trim();
  return `/sys/class/block/dm-${minor}/dm/suspended`;
}

const isSuspended = (stateFile: string): boolean => readFileSync(stateFile, "utf8").trim() === "1";
