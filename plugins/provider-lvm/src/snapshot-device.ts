import type { Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import type { MappedDevice } from "#kit/mapped-devices.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { activeDevice, deviceName, deviceUuid, expect, removeDevice } from "./mapper.js";
import { isThin } from "./origin.js";
import { type Own, ownOf } from "./ownership.js";
import { PluginError } from "./errors.js";

/** Sectors of 512 bytes, as LVM's own snapshots have. */
const CHUNK = 8;

export type Permission = "r" | "rw";

/**
 * What is opened of a thick snapshot is a device of its own. A mounted device belongs to its mount alone, but the tables of
 * device-mapper share what is below them (dm.c, _dm_claim_ptr). So a snapshot and its fork are open in any order:
 *
 *   snapshot: linear above LVM's device       fork: device-mapper snapshot of LVM's device, with a volume to write to
 *
 * LVM cannot snapshot a thick snapshot. A thin one has a fork that does not need it.
 */
const hasView = ({ volume }: Own): boolean => !isThin(volume);

/** The device of the snapshot; undefined: it is not open. */
export const deviceOf = (own: Own): MappedDevice | undefined =>
  activeDevice(own.volume, hasView(own) ? "view" : undefined);

/** @throws PluginError DMSETUP_FAILED */
export function openedDevice(own: Own): MappedDevice {
  return deviceOf(own) ?? expect(deviceName(own.volume, hasView(own) ? "view" : undefined));
}

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
  if (hasView(own)) await close(own, ctx);
  if (hasView(own) && own.role === "fork") return openFork(own, permission, all, ctx);
  if (permission === "rw") assertNoFork(own, all);
  if (volume.isReadOnly !== (permission === "r"))
    await lvm(ctx, "lvchange", ["--permission", permission, pathOf(volume)]);
  if (hasView(own)) return openThick(own, permission, ctx);
  await lvm(ctx, "lvchange", ["--activate", "y", "--ignoreactivationskip", pathOf(volume)]);
  if (deviceOf(own) !== undefined) return;
  const message = `LVM does not activate ${pathOf(volume)}.`;
  throw new PluginError("INACTIVE", message, "lvm.conf may forbid it: lvmconfig activation/volume_list");
}

/** Idempotent. */
export async function close(own: Own, ctx: Context): Promise<void> {
  const device = deviceOf(own);
  if (device === undefined) return;
  if (hasView(own)) await removeDevice(device, ctx);
  else await lvm(ctx, "lvchange", ["--activate", "n", pathOf(own.volume)]);
}

/** A fork reads what was not changed in it from its snapshot. A thin one does not. */
function assertNoFork({ volume }: Own, all: readonly LogicalVolume[]): void {
  const fork = all.find((one) => {
    const its = isThin(one) || one.vg.uuid !== volume.vg.uuid ? null : ownOf(one);
    return its?.role === "fork" && its.of === volume.name;
  });
  if (fork === undefined) return;
  const message = `${pathOf(volume)} has a fork, ${fork.name}, which would change with it: it cannot be exposed writable.`;
  throw new PluginError("BUSY", message, "Expose the fork, or expose this one as scratch.");
}

async function openThick(own: Own, permission: Permission, ctx: Context): Promise<void> {
  const below = expect(deviceName(own.volume));
  await makeView(own.volume, permission, `0 ${below.sectors} linear ${below.number} 0`, ctx);
}

async function openFork(own: Own, permission: Permission, all: readonly LogicalVolume[], ctx: Context): Promise<void> {
  const below = all.find(({ vg, name }) => vg.uuid === own.volume.vg.uuid && name === own.of);
  if (below === undefined || below.isInvalid) {
    const message = `The snapshot of which ${pathOf(own.volume)} is a fork no longer exists.`;
    throw new PluginError("UNKNOWN_SNAPSHOT", message, "Delete its set.");
  }
  await layOver(expect(deviceName(below)), own.volume, { lasts: true, permission }, ctx);
  if (!/ snapshot Invalid$/m.test(await dmsetup(ctx, ["status", openedDevice(own).name]))) return;
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
export async function layOver(below: MappedDevice, store: LogicalVolume, layer: Layer, ctx: Context): Promise<void> {
  const kind = layer.lasts ? "P" : "N";
  const table = `0 ${below.sectors} snapshot ${below.number} ${expect(deviceName(store)).number} ${kind} ${CHUNK}`;
  await makeView(store, layer.permission, table, ctx);
}

async function makeView(of: LogicalVolume, permission: Permission, table: string, ctx: Context): Promise<void> {
  const readOnly = permission === "r" ? ["--readonly"] : [];
  // LVM's UUID with a layer's name: udev then makes no link by the file system's UUID, which is the origin's too.
  await dmsetup(ctx, ["create", deviceName(of, "view"), "--uuid", deviceUuid(of, "view"), ...readOnly], table);
}
