import { readdirSync, readFileSync, statfsSync } from "node:fs";
import path from "node:path";
import type { Space } from "holdstill/plugin";
import { type FileSystem, SYSFS } from "./file-system.js";
import type { Subvolume } from "./subvolume.js";

/** What a snapshot writes at once, bytes: a root, its entries in the trees, and the paths to them. Rounded up generously. */
const PER_SUBVOLUME = 1024 * 1024;
const SECTOR = 512;
/** The quota group of the top of a file system, in which the snapshots are made. */
const TOP_GROUP = "0_5";

/** What the snapshots need, and what is free for them. A snapshot shares its data: it takes metadata only. */
export function spaceOf(fs: FileSystem, mounted: string, subvolumes: number): Space {
  const { bavail, bsize } = statfsSync(mounted);
  const limits = [bavail * bsize, freeMetadata(fs), leftOfQuota(fs)].filter((bytes) => bytes !== null);
  return { pool: fs.source, neededBytes: subvolumes * PER_SUBVOLUME, freeBytes: Math.max(0, Math.min(...limits)) };
}

/**
 * What only these subvolumes use, bytes, as the quota groups have it; null: quotas are off, or the groups are not consistent now
 * (Documentation/ABI/testing/sysfs-fs-btrfs).
 */
export function exclusiveBytes({ uuid }: FileSystem, subvolumes: readonly Subvolume[]): number | null {
  const groups = path.join(SYSFS, uuid, "qgroups");
  if (numberIn(groups, "inconsistent") === 1) return null;
  const all = subvolumes.map(({ id }) => numberIn(groups, `0_${id}`, "exclusive"));
  return all.length === 0 || all.includes(null) ? null : all.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
}

/** What metadata can still take: what is free in its block groups, and what no block group has yet. */
function freeMetadata({ uuid }: FileSystem): number | null {
  const sys = path.join(SYSFS, uuid);
  const groups = path.join(sys, "allocation");
  const allocated = ["data", "metadata", "system"].map((kind) => numberIn(groups, kind, "disk_total"));
  const taken = ["bytes_used", "bytes_pinned", "bytes_reserved", "bytes_may_use"].map((kind) =>
    numberIn(groups, "metadata", kind),
  );
  const total = numberIn(groups, "metadata", "total_bytes");
  const [disk, logical] = [numberIn(groups, "metadata", "disk_total"), total];
  if (total === null || disk === null || logical === null || allocated.includes(null) || taken.includes(null))
    return null;
  const unallocated = Math.max(0, deviceBytes(sys) - sum(allocated));
  // Metadata usually has two copies: what is not allocated counts by what it stores.
  return total - sum(taken) + (disk === 0 ? unallocated : (unallocated * logical) / disk);
}

function leftOfQuota({ uuid }: FileSystem): number | null {
  const group = path.join(SYSFS, uuid, "qgroups", TOP_GROUP);
  const [used, limit] = [numberIn(group, "referenced"), numberIn(group, "max_referenced")];
  return used === null || limit === null || limit === 0 ? null : Math.max(0, limit - used);
}

/** Of all its devices. */
function deviceBytes(sys: string): number {
  const devices = path.join(sys, "devices");
  return sum(namesIn(devices).map((name) => (numberIn(devices, name, "size") ?? 0) * SECTOR));
}

const sum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** null: the kernel has no such file. */
function numberIn(...file: readonly string[]): number | null {
  try {
    return Number(readFileSync(path.join(...file), "utf8"));
  } catch {
    return null;
  }
}
