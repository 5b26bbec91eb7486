import type { Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { findByName } from "#kit/mapped-devices.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { deviceName, deviceUuid, expect, removeDevice } from "./mapper.js";
import { isThin } from "./origin.js";
import type { Own } from "./ownership.js";
import { PluginError } from "./errors.js";

/** Sectors of 512 bytes, as LVM's own snapshots have. */
const CHUNK = 8;

export type Permission = "r" | "rw";

/** LVM cannot snapshot a thick snapshot: its fork is a device-mapper snapshot, with a logical volume to write to. */
const isLayered = ({ role, volume }: Own): boolean => role === "fork" && !isThin(volume);

/** Device-mapper name of the snapshot, when it is open. */
export const deviceOf = (own: Own): string => deviceName(own.volume, isLayered(own) ? "view" : undefined);

/**
 * Makes the snapshot's device, for reading only or for writing.
 *
 * @throws PluginError INVALID, UNKNOWN_SNAPSHOT
 */
export async function open(
  own: Own,
  permission: Permission,
  all: readonly LogicalVolume[],
  ctx: Context,
): Promise<void> {
  const { volume } = own;
  if (isLayered(own)) return openLayered(own, permission, all, ctx);
  if (volume.isReadOnly !== (permission === "r"))
    await lvm(ctx, "lvchange", ["--permission", permission, pathOf(volume)]);
  if (isThin(volume)) await lvm(ctx, "lvchange", ["--activate", "y", "--ignoreactivationskip", pathOf(volume)]);
}

/** Idempotent. */
export async function close(own: Own, ctx: Context): Promise<void> {
  if (findByName(deviceOf(own)) === undefined) return;
  if (isLayered(own)) await removeDevice(deviceOf(own), ctx);
  else if (isThin(own.volume)) await lvm(ctx, "lvchange", ["--activate", "n", pathOf(own.volume)]);
}

async function openLayered(
  own: Own,
  permission: Permission,
  all: readonly LogicalVolume[],
  ctx: Context,
): Promise<void> {
  await close(own, ctx);
  const below = all.find(({ vg, name }) => vg.uuid === own.volume.vg.uuid && name === own.of);
  if (below === undefined || below.isInvalid) {
    const message = `The snapshot of which ${pathOf(own.volume)} is a fork no longer exists.`;
    throw new PluginError("UNKNOWN_SNAPSHOT", message, "Delete its set.");
  }
  await layOver(deviceName(below), own.volume, deviceOf(own), { lasts: true, permission }, ctx);
  if (!/ snapshot Invalid$/m.test(await dmsetup(ctx, ["status", deviceOf(own)]))) return;
  await close(own, ctx);
  const message = `${pathOf(own.volume)} is lost: more was written than fits into it.`;
  throw new PluginError("INVALID", message, "Delete its set; give the next one more space.");
}

interface Layer {
  /** Whether what was written is still there when the layer is made again. */
  readonly lasts: boolean;
  readonly permission: Permission;
}

/** Makes a device that shows the one below, and writes to the store. */
export async function layOver(
  below: string,
  store: LogicalVolume,
  device: string,
  layer: Layer,
  ctx: Context,
): Promise<void> {
  const [, sectors] = (await dmsetup(ctx, ["table", below])).split(" ");
  const kind = layer.lasts ? "P" : "N";
  const table = `0 ${sectors} snapshot ${expect(below).number} ${expect(deviceName(store)).number} ${kind} ${CHUNK}`;
  const readOnly = layer.permission === "r" ? ["--readonly"] : [];
  // LVM's UUID with a layer's name: udev then makes no link by the file system's UUID, which is the origin's too.
  await dmsetup(ctx, ["create", device, "--uuid", deviceUuid(store, "view"), ...readOnly], table);
}
