import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { type LogicalVolume } from "./logical-volume.js";
import { Refusal } from "./errors.js";

/** A device-mapper device that is there. */
export interface Device {
  readonly isSuspended: boolean;
  /** major:minor */
  readonly number: string;
  /** The kernel makes this one itself; those with a name come later, from udev. */
  readonly node: string;
  readonly bytes: number;
}

const SYSFS = "/sys/class/block";
/** Unit of sysfs's sizes, bytes, whatever the device's own sector. */
const SECTOR = 512;

/** LVM's name for a volume's device, or for a layer of it: hyphens in the names are doubled (lvm2, dm_build_dm_name). */
export function deviceName({ vg, name }: Pick<LogicalVolume, "vg" | "name">, layer?: string): string {
  const parts = [vg.name, name].map((part) => part.replaceAll("-", "--"));
  return [...parts, ...(layer === undefined ? [] : [layer])].join("-");
}

/** LVM's UUID for the same. */
export const deviceUuid = ({ vg, uuid }: LogicalVolume, layer?: string): string =>
  `LVM-${vg.uuid}${uuid}${layer === undefined ? "" : `-${layer}`}`;

/** @throws Refusal MAPPER_FAILED */
export async function dmsetup(ctx: Context, args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await ctx.exec("dmsetup", args, input === undefined ? {} : { input });
  if (exitCode === 0) return stdout.trim();
  const message = `dmsetup ${args.slice(0, 2).join(" ")}: ${stderr.trim().split("\n")[0]}`;
  throw new Refusal("MAPPER_FAILED", message, "`dmsetup info -c`, `dmsetup table` and the kernel's log tell more.");
}

/** null: there is no such device. Read from sysfs (Documentation/ABI/testing/sysfs-block-dm), which starts no process. */
export function look(name: string): Device | null {
  const entry = readdirSync(SYSFS).find((one) => read(one, "dm/name") === name);
  if (entry === undefined) return null;
  return {
    isSuspended: read(entry, "dm/suspended") === "1",
    number: read(entry, "dev") ?? "",
    node: `/dev/${entry}`,
    bytes: Number(read(entry, "size") ?? 0) * SECTOR,
  };
}

/** Names of the devices that lie directly on this one. */
export function holdersOf(name: string): string[] {
  const entry = readdirSync(SYSFS).find((one) => read(one, "dm/name") === name);
  const holders = entry === undefined ? [] : readdirSync(path.join(SYSFS, entry, "holders"));
  return holders.flatMap((holder) => read(holder, "dm/name") ?? []);
}

/** undefined: not there, or no device-mapper device. */
function read(entry: string, file: string): string | undefined {
  try {
    return readFileSync(path.join(SYSFS, entry, file), "utf8").trim();
  } catch {
    return undefined;
  }
}

/** @throws Refusal MAPPER_FAILED */
export function expect(name: string): Device {
  const device = look(name);
  if (device !== null) return device;
  throw new Refusal("MAPPER_FAILED", `There is no device ${name}.`, "Another command may have removed it. Try again.");
}

/** What a device is made of now, as the lines of its table. */
export const tableOf = (device: string, ctx: Context): Promise<string> => dmsetup(ctx, ["table", device]);

/** Loads a table and swaps it in by one call to the kernel, which suspends and resumes by itself: a kill cannot come in between. */
export async function swap(ctx: Context, device: string, table: string): Promise<void> {
  await preload(ctx, device, table);
  await dmsetup(ctx, ["resume", device]);
}

/** Into the inactive slot, read-only; the next resume makes it the live one. */
export async function preload(ctx: Context, device: string, table: string): Promise<void> {
  await dmsetup(ctx, ["load", "--readonly", device], table);
}
