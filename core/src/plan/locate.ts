import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import type { BlockDevice, FileSystemVolume, Volume } from "../base/schema/types.js";
import { HoldstillError } from "../base/errors/error.js";
import { devicesBelow } from "../os/blockdevices.js";
import { isExclusionAgreed, leavesOut, resolveExclude } from "./exclude.js";
import { readFstab } from "../os/fstab.js";
import { isMountPoint, isOfKernel, isWithin, type Mount, mountAt, readMounts, realPathOf } from "../os/mounts.js";
import { readSwaps, type Swap } from "../os/swaps.js";
import { throwUnreadable } from "../os/unreadable-target.js";
import { type RawDevice, rawDeviceAt, toBlockVolume } from "./raw-device.js";

/** What a component or the requester needs captured. Absolute paths; `exclude` as in Component. */
export interface CaptureRequest {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
}

/** The kernel's tables of mounts and devices, and what a boot mounts. Tests pass their own; otherwise they are read from the running kernel. */
export interface SystemTables {
  readonly mounts: readonly Mount[];
  /** Mount points that should be mounted. */
  readonly fstab?: readonly string[];
  /** Default: none. */
  readonly swaps?: readonly Swap[];
  devices(mount: Mount): BlockDevice[];
}

/** The place of a requested path in the snapshot. */
export interface CapturedPlace {
  /** As it was requested. */
  readonly requested: string;
  /** Volume.id */
  readonly volume: string;
  /** The same file, as one of the volume's `paths` or below it. */
  readonly original: string;
}

export interface Located {
  readonly volumes: Volume[];
  /** One for each path of each request, in order. */
  readonly places: CapturedPlace[];
  /** Mount points below a captured path, of file systems that no path captures: they are not in the snapshot. */
  readonly nested: string[];
}

/** A resolved path and its place in its file system: two paths to one file have the same `volume` and `inner`. */
interface FileSpot {
  readonly requested: string;
  readonly path: string;
  readonly mount: Mount;
  readonly volume: string;
  readonly subvolume: string;
  readonly inner: string;
}

/** A raw block device, which is captured as a whole. */
interface DeviceSpot {
  readonly requested: string;
  readonly path: string;
  readonly raw: RawDevice;
  readonly volume: string;
  readonly inner: "/";
}

type Spot = FileSpot | DeviceSpot;

/**
 * Groups paths by file system or raw block device. Throws E_TARGET_UNREADABLE for a path that does not exist, cannot be read,
 * or is in a file system of the kernel, and for a block device that the kernel uses.
 *
 * Volume.id of a raw device is its `MAJ:MIN`. That of a file system is `MAJ:MIN` of the mount table, and for a btrfs subvolume the subvolume's path after it: `0:39/home`. All
 * mounts of one file system have the same, bind mounts too; it changes when the file system is mounted anew.
 */
export function locate(requests: readonly CaptureRequest[], tables: SystemTables = readSystemTables()): Located {
  const spots = requests.map((request) => request.paths.map((target) => spotOf(target, tables)));
  const all = spots.flat();
  const captured = all.filter((spot, at) => !all.some((other, from) => from !== at && covers(other, spot, from < at)));
  const resolved = requests.map((request, at) => ({
    paths: (spots[at] ?? []).map((spot) => spot.path),
    exclude: request.exclude.map(resolveExclude),
  }));
  const exclude = resolved.flatMap((request) => request.exclude).filter((entry) => isExclusionAgreed(entry, resolved));
  const volumes = byVolume(captured).map((group) => toVolume(group, exclude, tables));
  return { volumes, places: all.map((spot) => placeOf(spot, captured)), nested: nestedMounts(volumes, all, tables) };
}

export function readSystemTables(): SystemTables {
  return { mounts: readMounts(), fstab: readFstab(), swaps: readSwaps(), devices: devicesBelow };
}

function spotOf(requested: string, { mounts, fstab = [], swaps = [] }: SystemTables): Spot {
  const real = realPathOf(requested);
  try {
    accessSync(real, constants.R_OK);
  } catch (error) {
    throwUnreadable(requested, error);
  }
  const raw = rawDeviceAt(requested, real, { mounts, swaps });
  if (raw !== null) return { requested, path: raw.path, raw, volume: raw.devices[0].number, inner: "/" };
  const mount = mountAt(mounts, real) ?? throwUnreadable(requested, "no mount carries it");
  // Some of its files never end, wait forever, or lose what was read of them, such as /proc/kmsg.
  if (isOfKernel(mount)) throwUnreadable(requested, `it is in a file system of the kernel (${mount.fsType}), not data`);
  refuseUnmounted(requested, real, fstab, mounts);
  const subvolume = mount.fsType === "btrfs" ? subvolumeOf(real, mount) : "/";
  return {
    requested,
    path: real,
    mount,
    volume: subvolume === "/" ? mount.number : mount.number + subvolume,
    subvolume,
    inner: innerPath(real, mount),
  };
}

/** What is below the mount point of a file system that should be mounted is not the data: often it is an empty folder. */
function refuseUnmounted(target: string, real: string, fstab: readonly string[], mounts: readonly Mount[]): void {
  const point = fstab.find((one) => isWithin(real, one) && !isMountPoint(mounts, one));
  if (point === undefined) return;
  const reason = `nothing is mounted at ${point}, which is in /etc/fstab`;
  const remedy = `Mount it: mount ${point}. If it is not used any more, remove it from /etc/fstab.`;
  throw new HoldstillError("E_TARGET_UNREADABLE", { target, reason, remedy });
}

/** The path as the file system itself would call it, seen from its own root. */
function innerPath(real: string, mount: Mount): string {
  return path.join(mount.root, path.relative(mount.mountPoint, real));
}

/**
 * The btrfs subvolume that a path is in. In stat(2) each has its own device number: the topmost folder with the
 * path's number is the subvolume's root, or else the mount's, which may be a folder in it that was bind-mounted.
 */
function subvolumeOf(real: string, mount: Mount): string {
  const { dev } = statSync(real);
  if (statSync(mount.mountPoint).dev === dev) {
    return mount.options.find((option) => option.startsWith("subvol="))?.slice("subvol=".length) ?? mount.root;
  }
  let top = real;
  while (top !== mount.mountPoint && statSync(path.dirname(top)).dev === dev) top = path.dirname(top);
  return innerPath(top, mount);
}

/** Of two paths to the same file, the first is used. */
function covers(outer: Spot, inner: Spot, first: boolean): boolean {
  return outer.volume === inner.volume && isWithin(inner.inner, outer.inner) && (outer.inner !== inner.inner || first);
}

function byVolume(spots: readonly Spot[]): [Spot, ...Spot[]][] {
  const groups = new Map<string, [Spot, ...Spot[]]>();
  for (const spot of spots) {
    const known = groups.get(spot.volume);
    if (known === undefined) groups.set(spot.volume, [spot]);
    else known.push(spot);
  }
  return [...groups.values()];
}

function toVolume(spots: [Spot, ...Spot[]], exclude: readonly string[], tables: SystemTables): Volume {
  const [first] = spots;
  return "raw" in first ? toBlockVolume(first.raw) : toFileSystemVolume(first, spots, exclude, tables);
}

function toFileSystemVolume(
  { mount, volume, subvolume }: FileSpot,
  spots: readonly Spot[],
  exclude: readonly string[],
  tables: SystemTables,
): FileSystemVolume {
  const paths = spots.map((spot) => spot.path);
  return {
    kind: "filesystem",
    id: volume,
    mountPoint: mount.mountPoint,
    fsType: mount.fsType,
    source: mount.source,
    root: subvolume === "/" ? mount.root : subvolume,
    devices: tables.devices(mount),
    paths,
    exclude: [...new Set(exclude)].filter((entry) => paths.some((captured) => isWithin(entry, captured))),
  };
}

function placeOf(spot: Spot, captured: readonly Spot[]): CapturedPlace {
  const by = captured.find((other) => other === spot || covers(other, spot, true)) ?? spot;
  const original = path.join(by.path, path.relative(by.inner, spot.inner));
  return { requested: spot.requested, volume: spot.volume, original };
}

function nestedMounts(volumes: readonly Volume[], spots: readonly Spot[], { mounts }: SystemTables): string[] {
  return mounts
    .filter((mount) => !isOfKernel(mount) && mountAt(mounts, mount.mountPoint) === mount)
    .map((mount) => mount.mountPoint)
    .filter((point) => !spots.some((spot) => spot.path === point))
    .filter((point) => volumes.some((volume) => volume.kind !== "block" && isCapturedBelow(volume, point)))
    .toSorted();
}

function isCapturedBelow(volume: FileSystemVolume, point: string): boolean {
  const below = volume.paths.some((captured) => captured !== point && isWithin(point, captured));
  return below && !volume.exclude.some((entry) => leavesOut(entry, point));
}
