import type { Volume } from "holdstill/plugin";
import { cryptOf } from "./crypt.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { deviceUuid } from "./mapper.js";
import { PluginError } from "./errors.js";

/** The logical volume below a file system, directly or encrypted; null if there is none, or something else is in between. */
export function originOf(volume: Volume, all: readonly LogicalVolume[]): LogicalVolume | null {
  const device = volume.devices[cryptOf(volume) === null ? 0 : 1];
  return all.find((one) => device?.uuid === deviceUuid(one)) ?? null;
}

/** A logical volume below something else, such as md: its snapshot could not be exposed. */
export function originBelow(volume: Volume, all: readonly LogicalVolume[]): LogicalVolume | null {
  const uuids = volume.devices.slice(1).map(({ uuid }) => uuid);
  return all.find((one) => uuids.includes(deviceUuid(one))) ?? null;
}

/** LVM's UUID of a device: the group's and the volume's, without what names a layer. */
const LVM_UUID = /^LVM-[A-Za-z0-9]{64}/;

/** The device-mapper name of a logical volume below a file system that LVM does not report; undefined: there is none. */
export function hiddenBelow({ devices }: Volume, all: readonly LogicalVolume[]): string | undefined {
  const known = new Set(all.map((one) => deviceUuid(one)));
  const hidden = devices.find(({ uuid = "" }) => {
    const [own] = LVM_UUID.exec(uuid) ?? [];
    return own !== undefined && !known.has(own);
  });
  return hidden?.label;
}

export const isThin = ({ thinId }: LogicalVolume): boolean => thinId !== null;

export function poolOf(volume: LogicalVolume, all: readonly LogicalVolume[]): LogicalVolume | null {
  return all.find(({ vg, name }) => vg.name === volume.vg.name && name === volume.pool) ?? null;
}

/**
 * Refuses what LVM, or this way of using it, cannot do.
 *
 * @throws PluginError UNSUPPORTED, INACTIVE
 */
export function assertSnapshotable(origin: LogicalVolume): void {
  const name = pathOf(origin);
  const refuse = (reason: string, hint: string): never => {
    throw new PluginError("UNSUPPORTED", `${name} cannot be snapshotted: ${reason}.`, hint);
  };
  if (!origin.isActive) throw new PluginError("INACTIVE", `${name} is not active.`, `lvchange -ay ${name}`);
  if (origin.vg.isShared) {
    refuse("its volume group is shared with other machines", "Only one machine at a time could hold it.");
  }
  if (origin.isMerging) refuse("a snapshot is being merged into it", "Wait until the merge is done: lvs -a.");
  if (origin.role.includes("thicksnapshot")) {
    refuse("it is itself a thick snapshot", "Capture its origin, or use thin volumes.");
  }
  if (origin.hasIntegrity) refuse("it has dm-integrity", `lvconvert --raidintegrity n ${name}`);
  if (origin.layout.includes("writecache")) refuse("it has a writecache", `lvconvert --splitcache ${name}`);
  if (origin.health !== "") refuse(`its health is "${origin.health}"`, "Repair it first: lvconvert --repair.");
}
