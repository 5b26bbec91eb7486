import type { CommitOp, Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { findByName } from "#kit/mapped-devices.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { deviceName, expect, preload, swap, tableOf } from "./mapper.js";
import { PluginError } from "./errors.js";
import { assertWhole } from "./space.js";

/** Size of the header of a snapshot's store, and of the first table behind it: zeros mean "new" (dm-snap-persistent.c). */
const HEADER = 4096;

/*
 * LVM makes an ordinary snapshot in prepare, and its metadata is right from then on. Then its contents are dropped: the
 * snapshot's device gets a table without a snapshot, its store is wiped, and a new, empty snapshot waits in the inactive
 * slot. It is registered with the origin, but does not copy before it is resumed. That is the whole commit:
 *
 *   suspend ORIGIN  ─▶  resume SNAPSHOT  ─▶  resume ORIGIN
 *
 * Another command may activate it earlier (`lvchange --refresh` does), which spoils the snapshot without a trace. So the table that
 * replaces it is on the latch: a device that disappears as soon as nothing uses it. Then the commit does not find it.
 */

const latchOf = (snapshot: LogicalVolume): string => deviceName(snapshot, "latch");

export async function prepareThick(snapshot: LogicalVolume, ctx: Context): Promise<CommitOp[]> {
  const device = deviceName(snapshot);
  const latch = latchOf(snapshot);
  const table = await tableOf(device, ctx);
  const [start, length] = table.split(" ", 2);
  if (!/^0 \d+ snapshot [^\n]+$/.test(table)) throw unexpected(snapshot, table);
  // Not by LVM's UUID, which would make it a part of the volume.
  await dmsetup(ctx, ["create", latch, "--uuid", `HOLDSTILL-${snapshot.uuid}-latch`], `${start} ${length} error`);
  await swap(ctx, device, `${start} ${length} linear ${expect(latch).number} 0`);
  await dmsetup(ctx, ["remove", "--deferred", latch]);
  await wipe(expect(deviceName(snapshot, "cow")).node, ctx);
  await preload(ctx, device, table);
  return [
    { op: "dm-resume", device: latch },
    { op: "dm-resume", device },
  ];
}

async function wipe(node: string, ctx: Context): Promise<void> {
  const args = ["if=/dev/zero", `of=${node}`, `bs=${HEADER}`, "count=1", "oflag=direct", "conv=notrunc", "status=none"];
  const { exitCode, stderr } = await ctx.exec("dd", args);
  if (exitCode === 0) return;
  throw new PluginError("DMSETUP_FAILED", `${node} cannot be written: ${stderr.trim()}`, "Look at the kernel's log.");
}

/** Checks that the devices are the snapshots of the commit. */
export async function checkThick(snapshots: readonly LogicalVolume[], ctx: Context): Promise<void> {
  if (snapshots.length === 0) return;
  const live = (await dmsetup(ctx, ["table", "--target", "snapshot"])).split("\n");
  for (const snapshot of snapshots) {
    assertWhole(snapshot);
    const device = deviceName(snapshot);
    if (!live.some((line) => line.startsWith(`${device}: 0 `))) throw unexpected(snapshot, "not that of a snapshot");
  }
}

/** Before LVM removes it. LVM trusts what waits in the inactive slot, and would fail because of it. */
export async function disarmThick(snapshot: LogicalVolume, ctx: Context): Promise<void> {
  const device = deviceName(snapshot);
  if (findByName(device) !== undefined) await dmsetup(ctx, ["clear", device]);
  const latch = latchOf(snapshot);
  // If the snapshot's device is still on it, it disappears with that one.
  if (findByName(latch) !== undefined) await dmsetup(ctx, ["remove", "--deferred", latch]);
}

function unexpected(snapshot: LogicalVolume, table: string): PluginError {
  const message = `The device of ${pathOf(snapshot)} is not a snapshot: its table is ${table}.`;
  return new PluginError("CHANGED", message, "Another LVM command may have touched it. Take the set again.");
}
