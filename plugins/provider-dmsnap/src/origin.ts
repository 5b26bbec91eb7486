import { closeSync, constants, openSync } from "node:fs";
import type { Volume } from "holdstill/plugin";
import type { Target } from "#kit/dmsetup.js";
import { beside } from "#kit/whole-device.js";
import { codeOf } from "#kit/plugin-error.js";
import { findByName, findByUuid, type MappedDevice } from "#kit/mapped-devices.js";
import { type Mapper, whole } from "./mapper.js";
import { isOurs, LONGEST_ORIGIN, realOf } from "./names.js";
import { PluginError } from "./errors.js";

/** A device that can be captured. */
export interface Captured extends MappedDevice {
  /** Its own table: what it maps while no snapshot of it exists. */
  readonly table: readonly Target[];
}

/** Why a volume is not captured here. `remedy` completes "To have it captured, …"; null: use another provider. */
export interface Obstacle {
  readonly reason: string;
  readonly remedy: string | null;
}

/** File systems that device-mapper's suspend freezes, and that can be mounted beside their original. */
const fileSystems = ["ext2", "ext3", "ext4", "xfs"];
/** Targets without a state of their own, so that two devices may have the same table. */
const targets = ["linear", "striped", "crypt"];

const linear = 'put a linear mapping between the device and what uses it (README, "Getting there")';

/** The device that a volume is mounted from, or why it cannot be captured. No side effects. */
export async function originOf(volume: Volume, mapper: Mapper): Promise<Captured | Obstacle> {
  const [top] = volume.devices;
  if (top === undefined) return { reason: "no block device is below it", remedy: null };
  const uuid = top.uuid ?? "";
  if (uuid.startsWith("LVM-")) return { reason: "it is a logical volume, which provider-lvm captures", remedy: null };
  if (isOurs(uuid)) return { reason: "it is a snapshot", remedy: null };
  const device = findByName(top.label ?? "");
  if (device === undefined || `/dev/${top.name}` !== device.node) {
    return { reason: `${top.name} is a ${top.kind}, not a device-mapper device`, remedy: linear };
  }
  if (volume.kind !== "block" && !fileSystems.includes(volume.fsType)) {
    return { reason: `${volume.fsType} is not one of ${fileSystems.join(", ")}`, remedy: null };
  }
  if (Buffer.byteLength(device.name) > LONGEST_ORIGIN || device.name.includes("/")) {
    return {
      reason: `the name ${device.name} is too long: a snapshot's name begins with it`,
      remedy: "rename the device",
    };
  }
  const other = volume.kind === "block" ? null : beside(device, volume.fsType);
  if (other !== null) return { reason: other, remedy: null };
  const table = await ownTable(device, mapper);
  return unfit(table) ?? { ...device, table };
}

export const isObstacle = (found: Captured | Obstacle): found is Obstacle => "reason" in found;

/** The origin's table while snapshots of it exist. */
export function stackedTable({ name, sectors }: { name: string; sectors: number }): Target[] | null {
  const real = findByUuid(realOf(name).uuid);
  return real === undefined ? null : whole(sectors, "snapshot-origin", real.number);
}

/** The table that was the origin's own before any snapshot, wherever it is now. */
async function ownTable(device: MappedDevice, mapper: Mapper): Promise<Target[]> {
  const live = await mapper.table(device.name);
  const real = findByUuid(realOf(device.name).uuid);
  const [only] = live;
  const isStacked = only?.type === "snapshot-origin" && live.length === 1 && only.params === real?.number;
  return isStacked && real !== undefined ? mapper.table(real.name) : live;
}

function unfit(table: readonly Target[]): Obstacle | null {
  if (table.length === 0) return { reason: "its table cannot be read", remedy: "run holdstill as root" };
  const other = table.find(({ type }) => !targets.includes(type));
  if (other !== undefined) {
    return { reason: `its target ${other.type} is not one of ${targets.join(", ")}`, remedy: linear };
  }
  if (table.some(isKeyInKeyring)) {
    const remedy = `open it with \`cryptsetup open --disable-keyring\`, or ${linear}`;
    return { reason: "its key is in a kernel keyring, so its table cannot be loaded a second time", remedy };
  }
  return null;
}

/** crypt's params: cipher, key, …; a key that begins with a colon is a reference (dm-crypt.c, crypt_set_keyring_key). */
function isKeyInKeyring({ type, params }: Target): boolean {
  return type === "crypt" && params.split(" ")[1]?.startsWith(":") === true;
}

/**
 * Opens it so that no other process can mount or map it meanwhile (O_EXCL on a block device, open(2)). Throws if one already
 * does.
 */
export function openUnused({ name, node }: MappedDevice): number {
  try {
    return openSync(node, constants.O_RDWR | constants.O_EXCL);
  } catch (error) {
    const message = `${name} is in use (${codeOf(error)}).`;
    throw new PluginError("BUSY", message, `Unmount it: findmnt /dev/mapper/${name}`);
  }
}

export function assertUnused(device: MappedDevice): void {
  closeSync(openUnused(device));
}
