import type { Context } from "holdstill/plugin";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { deviceName, deviceUuid, dmsetup, expect, look } from "./mapper.js";
import { isThin } from "./origin.js";
import { type Own, ownOf, tag, tagged } from "./ownership.js";
import { Refusal } from "./refusal.js";
import { inWords } from "./space.js";

/** What a journal's replay changes at most; a clean snapshot changes next to nothing. */
export const REPLAY = 64 * 2 ** 20;
/** Sectors of 512 bytes, as LVM's own snapshots have. */
const CHUNK = 8;

/**
 * A throw-away layer above a snapshot, so that what is written leaves the snapshot as it is: for a thin one a snapshot of it,
 * for a thick one, which LVM can take none of, a transient one of device-mapper's, with a logical volume to write to.
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
export const numberOf = (own: Own): string | null => look(deviceOf(own))?.number ?? null;

/** Makes the layer, of so many bytes where it takes room of its own; answers its node. */
export async function raise(
  own: Own,
  bytes: number,
  read: () => Promise<LogicalVolume[]>,
  ctx: Context,
): Promise<string> {
  const { volume, setId, captured } = own;
  const tags = tagged([tag.role("scratch"), tag.set(setId), tag.captured(captured), tag.of(volume.name)]);
  const common = ["--yes", "--name", layerName(own), ...tags];
  if (isThin(volume)) {
    const thin = ["--snapshot", "--permission", "rw", "--setactivationskip", "n", "--ignoremonitoring"];
    await lvm(ctx, "lvcreate", [...common, ...thin, pathOf(volume)]);
    return expect(deviceOf(own)).node;
  }
  if (volume.vg.freeBytes < bytes) {
    const message = `Volume group ${volume.vg.name} has ${inWords(volume.vg.freeBytes)} free; a layer above ${volume.name} needs ${inWords(bytes)}.`;
    throw new Refusal("NO_SPACE", message, "Extend the volume group.");
  }
  await lvm(ctx, "lvcreate", [...common, "--wipesignatures", "n", "--size", `${bytes}b`, volume.vg.name]);
  const layer = layerOf(own, await read());
  if (layer === undefined) throw new Refusal("CHANGED", `${layerName(own)} is gone again.`, "Try again.");
  const [, sectors] = (await dmsetup(ctx, ["table", deviceName(volume)])).split(" ");
  const [below, store] = [expect(deviceName(volume)), expect(deviceName(layer))];
  const table = `0 ${sectors} snapshot ${below.number} ${store.number} N ${CHUNK}`;
  // LVM's UUID with a layer's name: udev then makes no link by the file system's UUID, which is the origin's too.
  await dmsetup(ctx, ["create", deviceOf(own), "--uuid", deviceUuid(layer, "view")], table);
  return expect(deviceOf(own)).node;
}

/** Idempotent. */
export async function drop(own: Own, all: readonly LogicalVolume[], ctx: Context): Promise<void> {
  const layer = layerOf(own, all);
  if (!isThin(own.volume) && look(deviceOf(own)) !== null) {
    await dmsetup(ctx, ["remove", "--retry", deviceOf(own)]);
  }
  if (layer !== undefined) await lvm(ctx, "lvremove", ["--yes", pathOf(layer)]);
}

/** Room of a layer that an application works in, bytes: a fifth of the volume, as far as there is room. */
export function roomy({ volume }: Own): number {
  const { extentBytes, freeBytes } = volume.vg;
  const wish = Math.max(REPLAY, volume.bytes / 5);
  return Math.floor(Math.min(wish, Math.max(freeBytes, REPLAY)) / extentBytes) * extentBytes;
}
