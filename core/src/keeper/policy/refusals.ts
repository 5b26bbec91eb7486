import type { HoldTarget } from "../../base/schema/types.js";
import { singleOps } from "../commit-ops.js";
import { layersOfDevices, layersOfPath, layersOfTarget, mountOfTarget } from "./layers.js";
import { targetName, type SectionPlan } from "../section.js";
import type { SystemState } from "./system-tables.js";

/** Why a point is not held, and what to do. */
export interface HoldRefusal {
  target: string;
  reason: string;
  remedy: string;
}

/** The limit says nothing of what may be held. */
type Checked = Omit<SectionPlan, "limitMs">;

/** Since this kernel a frozen file system can be frozen once more by device-mapper (fs/super.c, FREEZE_MAY_NEST). */
const NESTING = [6, 8] as const;

const inMemory = "it lies in memory and has nothing that could be captured";
const remote = "it lies on another machine, which this kernel cannot hold";
const simple = "its driver in the kernel cannot freeze";
const copy = "Use a provider that copies, such as provider-reflink.";

/** File systems without freeze_fs and freeze_super in their super_operations; those not listed are left to the kernel. */
const unfreezable: Record<string, [reason: string, remedy: string]> = {
  ...each("tmpfs ramfs devtmpfs", [inMemory, "Leave it out."]),
  ...each("nfs nfs4 cifs smb3 9p ceph afs virtiofs", [remote, "Take the snapshot on the machine that has the disks."]),
  ...each("vfat msdos exfat ntfs ntfs3 hfs hfsplus hpfs ufs minix udf fuse fuseblk zfs", [simple, copy]),
  ...each("iso9660 squashfs erofs cramfs romfs", ["nothing can be written to it", "Leave it out, or copy it."]),
  overlay: [
    "it only shows other file systems",
    "Name the folder that its upper layer lies in (upperdir=… in /proc/mounts).",
  ],
};

/**
 * All that speaks against a plan; empty: nothing. What carries `/`, holdstill or its state is refused, unless root is
 * included: a keeper that needs a page from a volume that it holds would wait for itself.
 */
export function refusalsOf(plan: Checked, around: SystemState): HoldRefusal[] {
  return [
    ...plan.targets.flatMap((point) => [
      ...identity(point, plan, around),
      ...kind(point, around),
      ...swap(point, around),
      ...(plan.includeRoot ? [] : guarded(point, around)),
    ]),
    ...nesting(plan.targets, around),
    ...ownWait(plan, around),
  ];
}

/** What a point carries that must not stand still. The keeper locks its files in memory, but not what was swapped out. */
export function carriedBy(point: HoldTarget, around: SystemState): string[] {
  const [own] = layersOfTarget(point, around);
  if (own === undefined) return [];
  return around.guarded.filter(({ path }) => layersOfPath(path, around).includes(own)).map(({ what }) => what);
}

function guarded(point: HoldTarget, around: SystemState): HoldRefusal[] {
  const carried = carriedBy(point, around);
  if (carried.length === 0) return [];
  const remedy = "Move the data to a volume of its own, or allow it with --include-root.";
  return [{ target: targetName(point), reason: `it carries ${carried.join(", ")}`, remedy: remedy }];
}

function swap(point: HoldTarget, around: SystemState): HoldRefusal[] {
  const [own] = layersOfTarget(point, around);
  const swaps = around.swaps.filter(({ path, devices }) => {
    const layers = devices.length > 0 ? layersOfDevices(devices, around) : layersOfPath(path, around);
    return own !== undefined && layers.includes(own);
  });
  return swaps.map(({ path }) => ({
    target: targetName(point),
    reason: `it carries the active swap space ${path}`,
    remedy: `Move it elsewhere, or switch it off: swapoff ${path}.`,
  }));
}

function identity(point: HoldTarget, { volumes = [] }: Checked, around: SystemState): HoldRefusal[] {
  const refuse = (reason: string, remedy: string): HoldRefusal[] => [
    { target: targetName(point), reason, remedy: remedy },
  ];
  if (point.kind === "dm") {
    if (around.mapper(point.name).length > 0) return [];
    return refuse("there is no such device-mapper device", "`dmsetup ls` shows those that there are.");
  }
  const mount = mountOfTarget(point, around);
  if (mount === null) return refuse("it is not a mount point", "`findmnt` shows those that there are.");
  const planned = volumes.find((volume) => volume.mountPoint === point.mount);
  // Volume.id is the file system's number, and after it the subvolume's path.
  if (planned === undefined || planned.id.split("/", 1)[0] === mount.number) return [];
  return refuse("another file system is mounted there than when it was planned", "Run the command again.");
}

function kind(point: HoldTarget, around: SystemState): HoldRefusal[] {
  const fsType = mountOfTarget(point, around)?.fsType ?? "";
  // The kernel calls FUSE's fuse.sshfs, and so on.
  const known = unfreezable[fsType.split(".", 1)[0] ?? ""];
  if (known === undefined) return [];
  return [{ target: targetName(point), reason: `it is ${fsType}: ${known[0]}`, remedy: known[1] }];
}

/** A file system that is frozen, and then the device directly below it: suspending freezes what is on the device. */
function nesting(points: readonly HoldTarget[], around: SystemState): HoldRefusal[] {
  if (isSince(around.kernel, NESTING)) return [];
  const suspended = points.filter((point) => point.kind === "dm");
  return points.flatMap((point) => {
    const mount = mountOfTarget(point, around);
    const top = mount === null ? undefined : around.devices(mount)[0]?.label;
    if (!suspended.some(({ name }) => name === top)) return [];
    const reason = `Linux ${around.kernel} cannot suspend the device ${top} while the file system on it is frozen (from ${NESTING.join(".")} on it can)`;
    return [{ target: targetName(point), reason, remedy: "Hold the device only: that freezes its file system, too." }];
  });
}

/** btrfs makes a snapshot by writing to the file system that the keeper itself has frozen. */
function ownWait({ targets: points, ops }: Checked, around: SystemState): HoldRefusal[] {
  const folders = singleOps(ops).flatMap((op) => (op.op === "btrfs-snapshot" ? [op.folder] : []));
  return points.flatMap((point) => {
    const [own] = layersOfTarget(point, around);
    if (own === undefined || !folders.some((folder) => layersOfPath(folder, around).includes(own))) return [];
    const reason = "a snapshot is to be written to it while it is held, which would wait for ever";
    return [
      { target: targetName(point), reason, remedy: "A btrfs snapshot is atomic without a hold: leave the hold out." },
    ];
  });
}

/** Of the same version or a later one; `kernel` as of uname -r. */
function isSince(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, its = 0] = kernel.split(/[.-]/).map(Number);
  return ours > major || (ours === major && its >= minor);
}

function each<T>(names: string, value: T): Record<string, T> {
  return Object.fromEntries(names.split(" ").map((name) => [name, value]));
}
