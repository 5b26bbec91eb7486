import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { BlockDevice } from "../base/schema/types.js";
import type { Mount } from "./mounts.js";

/** Size of the unit in which sysfs gives `size`, bytes: always 512, whatever the device's own sector (block/genhd.c). */
const SECTOR = 512;

/** First part of a device-mapper UUID: the subsystem that made the device (libdevmapper's convention: "LVM-…", "CRYPT-LUKS2-…", "mpath-…"). */
const mapperKinds: Record<string, BlockDevice["kind"]> = { LVM: "lvm", CRYPT: "crypt", mpath: "multipath" };

const mapped: ReadonlySet<BlockDevice["kind"]> = new Set(["lvm", "crypt", "multipath", "dm"]);

/** The block devices below a mount, top first, each once; empty if there are none (tmpfs, NFS, overlay). */
export function devicesBelow(mount: Mount, sys = "/sys"): BlockDevice[] {
  const top = realpathOptional(path.join(sys, "dev/block", mount.number));
  return walkDown(top === undefined ? membersOf(mount, sys) : [path.basename(top)], sys);
}

/** A device-mapper device, by its own name, and what is below it; empty if the device does not exist. */
export function devicesBelowMapper(name: string, sys = "/sys"): BlockDevice[] {
  const top = listOptional(path.join(sys, "class/block")).find(
    (device) => readOptional(path.join(sys, "class/block", device, "dm/name")) === name,
  );
  return top === undefined ? [] : walkDown([top], sys);
}

/** The device of a node in /dev and what is below it; empty if it is not a block device. */
export function devicesBelowNode(node: string, sys = "/sys"): BlockDevice[] {
  const name = nameOf(node, sys);
  return name === undefined ? [] : walkDown([name], sys);
}

/** The node of a device in /dev: device-mapper's name for it, else the kernel's. */
export const nodeOf = ({ name, kind, label }: BlockDevice): string =>
  mapped.has(kind) && label !== undefined ? `/dev/mapper/${label}` : `/dev/${name}`;

/** A device of the kernel's name, read from sysfs (Documentation/ABI/testing/sysfs-block, -dm, -loop); undefined: it is gone. */
export function readDevice(name: string, sys = "/sys"): BlockDevice | undefined {
  const dir = realpathOptional(path.join(sys, "class/block", name));
  if (dir === undefined) return undefined;
  const read = (file: string): string | undefined => readOptional(path.join(dir, file));
  const mapper = read("dm/name");
  const uuid = read("dm/uuid");
  const label = mapper ?? read("loop/backing_file");
  return {
    name,
    number: read("dev") ?? "",
    kind: kindOf(dir, mapper, uuid),
    ...(label === undefined ? {} : { label }),
    ...(uuid === undefined || uuid === "" ? {} : { uuid }),
    sizeBytes: Number(read("size") ?? 0) * SECTOR,
    lower: isPartition(dir) ? [path.basename(path.dirname(dir))] : listOptional(path.join(dir, "slaves")),
  };
}

function kindOf(dir: string, mapper: string | undefined, uuid: string | undefined): BlockDevice["kind"] {
  if (mapper !== undefined) return mapperKinds[uuid?.split("-", 1)[0] ?? ""] ?? "dm";
  if (isPartition(dir)) return "partition";
  if (existsSync(path.join(dir, "loop"))) return "loop";
  return existsSync(path.join(dir, "md")) ? "raid" : "disk";
}

function isPartition(dir: string): boolean {
  return existsSync(path.join(dir, "partition"));
}

function walkDown(tops: readonly string[], sys: string): BlockDevice[] {
  const found = new Map<string, BlockDevice>();
  // A Set iterates in order of insertion and also over what is added in the meantime: breadth first.
  const queue = new Set(tops);
  for (const name of queue) {
    const device = readDevice(name, sys);
    if (device === undefined) continue;
    found.set(name, device);
    for (const lower of device.lower) queue.add(lower);
  }
  return [...found.values()];
}

/**
 * btrfs has an anonymous number, which no block device has. The mount's source names one device, and
 * /sys/fs/btrfs/UUID/devices names all that belong to the same file system.
 */
function membersOf(mount: Mount, sys: string): string[] {
  if (mount.fsType !== "btrfs") return [];
  const name = nameOf(mount.source, sys);
  if (name === undefined) return [];
  const pools = listOptional(path.join(sys, "fs/btrfs")).map((pool) =>
    listOptional(path.join(sys, "fs/btrfs", pool, "devices")),
  );
  return pools.find((members) => members.includes(name)) ?? [name];
}

/** The kernel's name of a device node, by its number: /dev/mapper/vg0-data is dm-3. */
function nameOf(node: string, sys: string): string | undefined {
  const rdev = statSync(node, { throwIfNoEntry: false })?.rdev;
  const entry = rdev === undefined ? undefined : realpathOptional(path.join(sys, "dev/block", formatNumber(rdev)));
  return entry === undefined ? undefined : path.basename(entry);
}

/** glibc's gnu_dev_major and gnu_dev_minor (sys/sysmacros.h), for numbers below 2^32: 12 bits major, 20 bits minor. */
export function formatNumber(dev: number): string {
  const major = (dev >>> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}

const readOptional = (file: string): string | undefined =>
  unlessGone(() => readFileSync(file, "utf8").replace(/\n$/, ""));
const listOptional = (dir: string): string[] => unlessGone(() => readdirSync(dir).toSorted()) ?? [];
const realpathOptional = (entry: string): string | undefined => unlessGone(() => realpathSync(entry));

/** Devices come and go while they are read. Then sysfs reports that the entry, or the device behind it, does not exist. */
function unlessGone<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENODEV", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}
