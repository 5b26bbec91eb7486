import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { nodeOf, readDevice } from "./blockdevices.js";
import type { Mount } from "./mounts.js";
import type { Swap } from "./swaps.js";

/** What the kernel uses a block device for, or another device on it. */
export type DeviceUse =
  | { readonly by: "mount"; readonly mountPoint: string }
  | { readonly by: "swap"; readonly path: string }
  /** No file system is mounted on that one. `node`: in /dev. */
  | { readonly by: "device"; readonly kind: string; readonly node: string };

/** The kernel's tables that show what is used. */
export interface UseTables {
  readonly mounts: readonly Mount[];
  readonly swaps: readonly Swap[];
}

/**
 * What a device is used for, at the top of all that is stacked on it: logical volumes on a disk, a RAID on its members, a mount on a
 * partition. Empty: no more than programs have it open. A partition that is not used is no use of its disk.
 *
 * @param name The kernel's name of the device.
 */
export function usesOf(name: string, tables: UseTables, sys = "/sys"): DeviceUse[] {
  const dir = realpathSync(path.join(sys, "class/block", name));
  const own = [...mountsOf(name, tables, sys), ...swapsOf(name, tables)];
  const holders = foldersIn(path.join(dir, "holders")).flatMap((holder) => {
    const above = usesOf(holder, tables, sys);
    return above.length > 0 ? above : [deviceUse(holder, sys)];
  });
  const partitions = foldersIn(dir).filter((entry) => existsSync(path.join(dir, entry, "partition")));
  return [...own, ...holders, ...partitions.flatMap((partition) => usesOf(partition, tables, sys))];
}

/** btrfs has a number of its own in the mount table: /sys/fs/btrfs/UUID/devices names its members. */
function mountsOf(name: string, { mounts }: UseTables, sys: string): DeviceUse[] {
  const number = readDevice(name, sys)?.number;
  const pools = foldersIn(path.join(sys, "fs/btrfs")).map((pool) =>
    foldersIn(path.join(sys, "fs/btrfs", pool, "devices")),
  );
  const members = pools.find((devices) => devices.includes(name)) ?? [];
  const ofPool = mounts.filter(
    ({ fsType, source }) => fsType === "btrfs" && members.some((member) => isNodeOf(source, member, sys)),
  );
  return [...mounts.filter((mount) => mount.number === number), ...ofPool].map(({ mountPoint }) => ({
    by: "mount",
    mountPoint,
  }));
}

const swapsOf = (name: string, { swaps }: UseTables): DeviceUse[] =>
  swaps.flatMap(({ path: file, devices }) => (devices[0]?.name === name ? [{ by: "swap", path: file }] : []));

function isNodeOf(node: string, name: string, sys: string): boolean {
  const device = readDevice(name, sys);
  return node === `/dev/${name}` || (device !== undefined && node === nodeOf(device));
}

function deviceUse(name: string, sys: string): DeviceUse {
  const device = readDevice(name, sys);
  return { by: "device", kind: device?.kind ?? "disk", node: device === undefined ? `/dev/${name}` : nodeOf(device) };
}

function foldersIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir).toSorted() : [];
}
