import type { Context } from "holdstill/plugin";
import { type MappedDevice, SECTOR } from "#kit/mapped-devices.js";
import { formatBytes } from "#kit/size.js";
import { closeDecrypted } from "./crypt.js";
import { type LogicalVolume, pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { activeDevice, deviceName, expect, removeDevice } from "./mapper.js";
import { isThin } from "./origin.js";
import { type Own, ownOf, tag, tagged } from "./ownership.js";
import { layOver, openedDevice } from "./snapshot-device.js";
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

/** What a layer's device is called in device-mapper's names, beside the volume itself. */
const partOf = ({ volume }: Own): string | undefined => (isThin(volume) ? undefined : "view");

function layerOf(own: Own, all: readonly LogicalVolume[]): LogicalVolume | undefined {
  const name = layerName(own);
  return all.find((one) => one.vg.uuid === own.volume.vg.uuid && one.name === name && ownOf(one)?.role === "scratch");
}

/** The device that is mounted; undefined: there is no layer. */
export function layerDevice(own: Own, all: readonly LogicalVolume[]): MappedDevice | undefined {
  const layer = layerOf(own, all);
  return layer === undefined ? undefined : activeDevice(layer, partOf(own));
}

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
    await layOver(openedDevice(own), layer, { lasts: false, permission: "rw" }, ctx);
  }
  return expect(deviceName({ vg: volume.vg, name: layerName(own) }, partOf(own)));
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
  if (layer === undefined) return;
  if (!isThin(own.volume)) await removeDevice(layerDevice(own, all), ctx);
  await lvm(ctx, "lvremove", ["--yes", pathOf(layer)]);
}

/** Space for an application that works on a snapshot, bytes: a share of it, or what the volume group has. */
export function spaceAbove({ vg }: LogicalVolume, snapshot: MappedDevice): number {
  const inExtents = (bytes: number): number => Math.floor(bytes / vg.extentBytes) * vg.extentBytes;
  return Math.max(REPLAY, Math.min(inExtents(vg.freeBytes), inExtents(snapshot.sectors * SECTOR * SHARE)));
}
