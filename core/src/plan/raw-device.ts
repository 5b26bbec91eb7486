import { statSync } from "node:fs";
import type { BlockDevice, BlockVolume } from "../base/schema/types.js";
import { HoldstillError } from "../base/errors/error.js";
import { devicesBelowNode, nodeOf } from "../os/blockdevices.js";
import { type DeviceUse, usesOf, type UseTables } from "../os/device-uses.js";

/** A block device that is captured as such. */
export interface RawDevice {
  /** A node whose name stays the same after a boot, if it has one. */
  readonly path: string;
  /** The device itself, then those below it. */
  readonly devices: [BlockDevice, ...BlockDevice[]];
}

/**
 * The block device that a path names; null: it names something else. What a device is used for belongs to what is on it: a volume
 * group to its logical volumes, a mounted file system to its mount point.
 *
 * @throws HoldstillError E_TARGET_UNREADABLE if the kernel uses it
 */
export function rawDeviceAt(named: string, real: string, tables: UseTables): RawDevice | null {
  const status = statSync(real, { throwIfNoEntry: false });
  if (status?.isBlockDevice() !== true) return null;
  const [own, ...below] = devicesBelowNode(real);
  if (own === undefined) return refuse(named, "the kernel has no such device", "`lsblk` lists the devices.");
  const uses = usesOf(own.name, tables);
  if (uses.length > 0) return refuseUsed(named, uses);
  return { path: stableNode(named, own, status.rdev), devices: [own, ...below] };
}

/** Two paths to one device are one volume. */
export const toBlockVolume = ({ path, devices }: RawDevice): BlockVolume => ({
  kind: "block",
  id: devices[0].number,
  devices: [...devices],
  paths: [path],
});

/** The numbers in /dev/dm-3 and in /dev/sda are given anew at each boot: device-mapper's names are not. */
function stableNode(named: string, device: BlockDevice, rdev: number): string {
  const node = nodeOf(device);
  return statSync(node, { throwIfNoEntry: false })?.rdev === rdev && node.startsWith("/dev/mapper/") ? node : named;
}

function refuseUsed(target: string, uses: readonly DeviceUse[]): never {
  const onIt = uses.map(inWords);
  const names = uses.flatMap((use) => (use.by === "mount" ? [use.mountPoint] : use.by === "device" ? [use.node] : []));
  const remedy =
    names.length === 0
      ? "Swap space has nothing that could be captured: leave it out."
      : `Name what is on it: ${[...new Set(names)].join(", ")}.`;
  return refuse(target, `${[...new Set(onIt)].join(", ")} ${onIt.length === 1 ? "is" : "are"} on it`, remedy);
}

function inWords(use: DeviceUse): string {
  switch (use.by) {
    case "mount":
      return `the file system at ${use.mountPoint}`;
    case "swap":
      return `the swap space ${use.path}`;
    case "device":
      return `${use.node} (${use.kind})`;
  }
}

function refuse(target: string, reason: string, remedy: string): never {
  throw new HoldstillError("E_TARGET_UNREADABLE", { target, reason, remedy });
}
