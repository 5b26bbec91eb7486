import { lstatSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import { canMount, unmountTree, type MountTree, mountTree } from "../../os/exec/mount-tree.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { readMounts } from "../../os/mounts.js";
import { exposedTrees } from "./exposed-trees.js";

/*
 * A set's snapshots at their original paths below one folder. For a command (`run`) they are mounted in its own namespace. For all
 * processes (`expose --at`) they are one tree of mounts, whose source contains the set's id. So the mount table shows which exist, even
 * if the process that made them died before it could write them down.
 */

/** Below the root, beside the snapshots: the set's record and the writers' sidecars, so that a backup of the root is complete. */
export const recordFolder = ".holdstill";

/** @param record The folder of the set's record. */
export function mountTreeOf(set: SnapshotSet, root: string, record: string): MountTree & { root: string } {
  const mounts = exposedTrees(set).map(({ original, path: from }) => ({ from, at: original }));
  return { root, mounts: [...mounts, { from: record, at: `/${recordFolder}` }] };
}

/** Mounts the exposed snapshots there. Already there: done. @throws HoldstillError E_MIRROR */
export function mountSet(set: SnapshotSet, at: string, record: string): SnapshotSet {
  if (!mountPointsOf(set).includes(at)) mountTree(mountTreeOf(set, at, record), sourceOf(set));
  return { ...set, exposedAt: at };
}

/** Unmounts everything of the set. @throws HoldstillError E_MIRROR_BUSY */
export function unmountSet(set: SnapshotSet): SnapshotSet {
  for (const mountPoint of mountPointsOf(set)) unmountTree(mountPoint);
  const now = { ...set };
  delete now.exposedAt;
  return now;
}

/** Whether there is a mount that the record does not name: the process that made it has died. */
export const hasStrayMount = (set: SnapshotSet): boolean =>
  mountPointsOf(set).some((mountPoint) => mountPoint !== set.exposedAt);

const sourceOf = ({ id }: SnapshotSet): string => `holdstill-${id}`;

function mountPointsOf(set: SnapshotSet): string[] {
  const own = readMounts().filter(({ fsType, source }) => fsType === "tmpfs" && source === sourceOf(set));
  return own.map(({ mountPoint }) => mountPoint);
}

/**
 * The real path of a folder at which a set can be mounted. Its contents would be covered, and a link as its last part may belong to
 * another user.
 *
 * @throws HoldstillError E_USAGE, E_MIRROR
 */
export function checkMountFolder(set: SnapshotSet, folder: string): string {
  // Without a slash at the end, which would follow a link.
  const whole = path.resolve(folder);
  const refuse = (problem: string, hint: string): never => {
    throw new HoldstillError("E_USAGE", { problem: `The snapshots are not mounted at ${folder}: ${problem}.`, hint });
  };
  if (!canMount()) throw new HoldstillError("E_MIRROR", { reason: "this process may not mount" });
  const stat = lstatSync(whole, { throwIfNoEntry: false });
  if (stat === undefined) return refuse("there is no such folder", `Make it: mkdir ${folder}`);
  if (stat.isSymbolicLink()) return refuse("it is a symbolic link", "Name the folder itself.");
  if (!stat.isDirectory()) return refuse("it is not a folder", "Name an empty folder.");
  const real = path.join(realpathSync(path.dirname(whole)), path.basename(whole));
  const mountPoints = mountPointsOf(set);
  if (mountPoints.includes(real)) return real;
  if (mountPoints.length > 0) {
    return refuse(
      `the set is mounted at ${mountPoints.join(", ")} already`,
      `Unexpose it first: holdstill unexpose ${set.id}`,
    );
  }
  if (readdirSync(whole).length > 0) return refuse("it is not empty", "Name an empty folder.");
  return real;
}
