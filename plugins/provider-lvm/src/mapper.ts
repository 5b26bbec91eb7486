import type { Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { findByName, findByUuid, type MappedDevice } from "#kit/mapped-devices.js";
import { removeName } from "#kit/shown-device.js";
import { PluginError } from "./errors.js";
import { type LogicalVolume } from "./logical-volume.js";

/** LVM's name for a volume's device, or for a layer of it: hyphens in the names are doubled (lvm2, dm_build_dm_name). */
export function deviceName({ vg, name }: Pick<LogicalVolume, "vg" | "name">, layer?: string): string {
  const parts = [vg.name, name].map((part) => part.replaceAll("-", "--"));
  return [...parts, ...(layer === undefined ? [] : [layer])].join("-");
}

/** LVM's UUID for the same. */
export const deviceUuid = ({ vg, uuid }: LogicalVolume, layer?: string): string =>
  `LVM-${vg.uuid}${uuid}${layer === undefined ? "" : `-${layer}`}`;

/**
 * The device of a volume, or of a layer of it; undefined: it is not active. By its UUID, since `vgrename` gives new names to the
 * devices that LVM knows, and not to those of this plugin.
 */
export const activeDevice = (volume: LogicalVolume, layer?: string): MappedDevice | undefined =>
  findByUuid(deviceUuid(volume, layer));

/** @throws PluginError DMSETUP_FAILED */
export function expect(name: string): MappedDevice {
  const device = findByName(name);
  if (device !== undefined) return device;
  const hint = "Another command may have removed it. Try again.";
  throw new PluginError("DMSETUP_FAILED", `The device ${name} does not exist.`, hint);
}

/** What a device is made of now, as the lines of its table. */
export const tableOf = (device: string, ctx: Context): Promise<string> => dmsetup(ctx, ["table", device]);

/** undefined: it no longer exists. */
export async function removeDevice(device: MappedDevice | undefined, ctx: Context): Promise<void> {
  if (device === undefined) return;
  await dmsetup(ctx, ["remove", "--retry", device.name]);
  await removeName(device.name, ctx);
}

/** Loads a table and makes it live by one kernel call, which suspends and resumes: a kill cannot come in between. */
export async function swap(ctx: Context, device: string, table: string): Promise<void> {
  await preload(ctx, device, table);
  await dmsetup(ctx, ["resume", device]);
}

/** Into the inactive slot, read-only; the next resume makes it the live one. */
export async function preload(ctx: Context, device: string, table: string): Promise<void> {
  await dmsetup(ctx, ["load", "--readonly", device], table);
}
