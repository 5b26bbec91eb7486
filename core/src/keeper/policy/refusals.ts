import type { HoldTarget } from "../../base/schema/types.js";
import { singleOps } from "../../base/schema/commit-ops.js";
import { layersOfDevices, layersOfPath, layersOfTarget, mountOfTarget } from "./layers.js";
import { targetName, type SectionPlan } from "../section.js";
import type { SystemState } from "./system-tables.js";

/** Why a target is not held, and what to do. */
export interface HoldRefusal {
  target: string;
  reason: string;
  remedy: string;
}

/** The limit has no influence on what may be held. */
type CheckedPlan = Omit<SectionPlan, "limitMs">;

/** Since this kernel a frozen file system can be frozen once more by device-mapper (fs/super.c, FREEZE_MAY_NEST). */
const NESTING = [6, 8] as const;

const inMemory = "it is in memory, and nothing in it can be captured";
const remote = "it is on another machine, which this kernel cannot hold";
const simple = "its kernel driver cannot freeze it";
const copy = "Use a provider that copies.";

/** File systems without freeze_fs and freeze_super in their super_operations; those not listed are left to the kernel. */
const unfreezable: Record<string, [reason: string, remedy: string]> = {
  ...each("tmpfs ramfs devtmpfs", [inMemory, "Leave it out."]),
  ...each("nfs nfs4 cifs smb3 9p ceph afs virtiofs", [remote, "Take the snapshot on the machine that has the disks."]),
  ...each("vfat msdos exfat ntfs ntfs3 hfs hfsplus hpfs ufs minix udf fuse fuseblk zfs", [simple, copy]),
  ...each("iso9660 squashfs erofs cramfs romfs", ["it is read-only", "Leave it out, or copy it."]),
  overlay: [
    "it only shows the contents of other file systems",
    "Name the folder of its upper layer (upperdir=… in /proc/mounts).",
  ],
};

/**
 * All reasons against a plan; empty if there are none. A target that carries `/`, holdstill or its state is refused unless root is
 * included: a keeper that needs a page from a volume that it holds would wait for itself.
 */
export function refusalsOf(plan: CheckedPlan, system: SystemState): HoldRefusal[] {
  return [
    ...plan.targets.flatMap((target) => [
      ...identity(target, plan, system),
      ...kind(target, system),
      ...swap(target, system),
      ...(plan.includeRoot ? [] : protectedPaths(target, system)),
    ]),
    ...nesting(plan.targets, system),
    ...ownWait(plan, system),
  ];
}

/** The protected paths that a target carries. */
export function carriedBy(target: HoldTarget, system: SystemState): string[] {
  const [own] = layersOfTarget(target, system);
  if (own === undefined) return [];
  return system.protectedPaths.filter(({ path }) => layersOfPath(path, system).includes(own)).map(({ what }) => what);
}

function protectedPaths(target: HoldTarget, system: SystemState): HoldRefusal[] {
  const carried = carriedBy(target, system);
  if (carried.length === 0) return [];
  const remedy = "Move the data to a separate volume, or allow it with --include-root.";
  return [{ target: targetName(target), reason: `it carries ${carried.join(", ")}`, remedy }];
}

/** Refused also with root included: the keeper locks its files in memory, but not what was swapped out. */
function swap(target: HoldTarget, system: SystemState): HoldRefusal[] {
  const [own] = layersOfTarget(target, system);
  const swaps = system.swaps.filter(({ path, devices }) => {
    const layers = devices.length > 0 ? layersOfDevices(devices, system) : layersOfPath(path, system);
    return own !== undefined && layers.includes(own);
  });
  return swaps.map(({ path }) => ({
    target: targetName(target),
    reason: `it carries the active swap space ${path}`,
    remedy: `Move it elsewhere, or switch it off: swapoff ${path}.`,
  }));
}

function identity(target: HoldTarget, { volumes = [] }: CheckedPlan, system: SystemState): HoldRefusal[] {
  const refuse = (reason: string, remedy: string): HoldRefusal[] => [{ target: targetName(target), reason, remedy }];
  if (target.kind === "dm") {
    if (system.mapper(target.name).length > 0) return [];
    return refuse("device-mapper has no device of that name", "`dmsetup ls` lists the devices.");
  }
  const mount = mountOfTarget(target, system);
  if (mount === null) return refuse("it is not a mount point", "`findmnt` lists the mount points.");
  const planned = volumes.find((volume) => volume.kind !== "block" && volume.mountPoint === target.mount);
  // Volume.id is the file system's number, and after it the subvolume's path.
  if (planned === undefined || planned.id.split("/", 1)[0] === mount.number) return [];
  return refuse("a different file system is mounted there than was planned", "Run the command again.");
}

function kind(target: HoldTarget, system: SystemState): HoldRefusal[] {
  const fsType = mountOfTarget(target, system)?.fsType ?? "";
  // FUSE file systems have names such as fuse.sshfs.
  const known = unfreezable[fsType.split(".", 1)[0] ?? ""];
  if (known === undefined) return [];
  return [{ target: targetName(target), reason: `it is ${fsType}: ${known[0]}`, remedy: known[1] }];
}

/** A file system and the device directly below it: suspending the device freezes the file system once more. */
function nesting(targets: readonly HoldTarget[], system: SystemState): HoldRefusal[] {
  if (isSince(system.kernel, NESTING)) return [];
  const suspended = targets.filter((target) => target.kind === "dm");
  return targets.flatMap((target) => {
    const mount = mountOfTarget(target, system);
    const top = mount === null ? undefined : system.devices(mount)[0]?.label;
    if (!suspended.some(({ name }) => name === top)) return [];
    const reason = `Linux ${system.kernel} cannot suspend the device ${top} while the file system on it is frozen (possible from ${NESTING.join(".")} on)`;
    return [{ target: targetName(target), reason, remedy: "Hold only the device: that also freezes its file system." }];
  });
}

/** btrfs creates a snapshot by writing to the file system, which the keeper itself has frozen. */
function ownWait({ targets, ops }: CheckedPlan, system: SystemState): HoldRefusal[] {
  const folders = singleOps(ops).flatMap((op) => (op.op === "btrfs-snapshot" ? [op.folder] : []));
  return targets.flatMap((target) => {
    const [own] = layersOfTarget(target, system);
    if (own === undefined || !folders.some((folder) => layersOfPath(folder, system).includes(own))) return [];
    const reason = "a snapshot would be written to it while it is held, and would wait forever";
    return [
      { target: targetName(target), reason, remedy: "A btrfs snapshot is atomic without a hold: leave the hold out." },
    ];
  });
}

/** The same version or a later one; `kernel` as in uname -r. */
function isSince(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, its = 0] = kernel.split(/[.-]/).map(Number);
  return ours > major || (ours === major && its >= minor);
}

function each<T>(names: string, value: T): Record<string, T> {
  return Object.fromEntries(names.split(" ").map((name) => [name, value]));
}
