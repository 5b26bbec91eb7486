import type { Context } from "holdstill/plugin";
import { findByName, type MappedDevice, SECTOR } from "#kit/mapped-devices.js";
import { formatBytes } from "#kit/size.js";
import { closeDecrypted } from "./crypt.js";
import { type LogicalVolume, pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { deviceName, expect, removeDevice } from "./mapper.js";
import { isThin } from "./origin.js";
import { type Own, ownOf, tag, tagged } from "./ownership.js";
import { deviceOf as snapshotDeviceOf, layOver } from "./snapshot-device.js";
import { PluginError } from "./errors.js";

/** Space for what a journal's replay changes, bytes; a clean snapshot changes almost nothing. */
export const REPLAY = 64 * 2 ** 20;
/** Space of a layer in which an application works, share of the volume. */
const SHARE = 0.2;

/**
 * A throw-away layer above a snapshot, which what is written does not change: above a thin one a snapshot of it, above a thick one a
 * transient device-mapper snapshot, with a logical volume to write to.
 */
const layerName = ({ volume }: Own): string => `${volume.name}-scratch`;

/** The device that is mounted. */
function deviceOf(own: Own): string {
  const layer = { vg: own.volume.vg, name: layerName(own) };
  return isThin(own.volume) ? deviceName(layer) : deviceName(layer, "view");
}

function layerOf(own: Own, all: readonly LogicalVolume[]): LogicalVolume | undefined {
  const name = layerName(own);
  return all.find((one) => one.vg.uuid === own.volume.vg.uuid && one.name === name && ownOf(one)?.role === "scratch");
}

/** major:minor of the layer's device; null: there is none. */
export const numberOf = (own: Own): string | null => findByName(deviceOf(own))?.number ?? null;

/** Makes the layer, of that many bytes if it needs separate space, and returns its device. */
export async function makeLayer(own: Own, bytes: number, ctx: Context): Promise<MappedDevice> {
  const { volume, setId, captured } = own;
  const tags = tagged([tag.role("scratch"), tag.set(setId), tag.captured(captured), tag.of(volume.name)]);
  const common = ["--yes", "--name", layerName(own), ...tags];
  if (isThin(volume)) {
    const thin = ["--snapshot", "--permission", "rw", "--setactivationskip", "n", "--ignoremonitoring"];
    await lvm(ctx, "lvcreate", [...common, ...thin, pathOf(volume)]);
  } else {
    await makeStore(volume, bytes, common, ctx);
    const layer = layerOf(own, await readVolumes(ctx));
    if (layer === undefined) throw new PluginError("CHANGED", `${layerName(own)} was removed meanwhile.`, "Try again.");
    await layOver(snapshotDeviceOf(own), layer, deviceOf(own), { lasts: false, permission: "rw" }, ctx);
  }
  return expect(deviceOf(own));
}

/** A plain volume that a layer, or a thick snapshot's fork, writes to. Its beginning is wiped, which marks it as empty. */
export async function makeStore(
  { vg, name }: LogicalVolume,
  bytes: number,
  args: readonly string[],
  ctx: Context,
): Promise<void> {
  if (vg.freeBytes < bytes) {
    const message = `Volume group ${vg.name} has ${formatBytes(vg.freeBytes)} free; a layer above ${name} needs ${formatBytes(bytes)}.`;
    throw new PluginError("NO_SPACE", message, `Extend it: vgextend ${vg.name} DEVICE`);
  }
  await lvm(ctx, "lvcreate", [...args, "--zero", "y", "--wipesignatures", "n", "--size", `${bytes}b`, vg.name]);
}

/** Removes it, and the decrypted device of it or of the snapshot. Idempotent. */
export async function removeLayer(own: Own, all: readonly LogicalVolume[], ctx: Context): Promise<void> {
  await closeDecrypted(own, ctx);
  const layer = layerOf(own, all);
  if (!isThin(own.volume)) await removeDevice(deviceOf(own), ctx);
  if (layer !== undefined) await lvm(ctx, "lvremove", ["--yes", pathOf(layer)]);
}

/** Space for an application that works on a snapshot, bytes: a share of it, or what the volume group has. */
export function spaceAbove({ vg }: LogicalVolume, snapshot: string): number {
  const inExtents = (bytes: number): number => Math.floor(bytes / vg.extentBytes) * vg.extentBytes;
  return Math.max(REPLAY, Math.min(inExtents(vg.freeBytes), inExtents(expect(snapshot).sectors * SECTOR * SHARE)));
}
