import { lstatSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import { canMount, unmountTree, type MountTree, mountTree } from "../../os/exec/mount-tree.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { readMounts } from "../../os/mounts.js";
import { exposedTrees } from "./exposed-trees.js";

/*
 * A set's snapshots at their original paths below one folder. For a command (run) they are mounted in a namespace of its own; for
 * everybody (expose --at) they are one tree of mounts, whose source has the set's id. So the mount table tells what there is, also
 * of a process that died before it could write it down.
 */

/** Below the root, beside the snapshots: the set's record and the writers' sidecars, so that a backup of the root has all. */
export const recordFolder = ".holdstill";

/** @param record The folder of the set's record. */
export function mountTreeOf(set: SnapshotSet, root: string, record: string): MountTree & { root: string } {
  const mounts = exposedTrees(set).map(({ original, path: from }) => ({ from, at: original }));
  return { root, mounts: [...mounts, { from: record, at: `/${recordFolder}` }] };
}

/** Mounts the exposed snapshots there. Already there: done. @throws HoldstillError E_MIRROR */
export function mountSet(set: SnapshotSet, at: string, record: string): SnapshotSet {
  if (!placesOf(set).includes(at)) mountTree(mountTreeOf(set, at, record), sourceOf(set));
  return { ...set, exposedAt: at };
}

/** Takes all of the set's away. @throws HoldstillError E_MIRROR_BUSY */
export function unmountSet(set: SnapshotSet): SnapshotSet {
  for (const place of placesOf(set)) unmountTree(place);
  const now = { ...set };
  delete now.exposedAt;
  return now;
}

/** There is one that its record does not name: who made it has died meanwhile. */
export const hasStrayMount = (set: SnapshotSet): boolean => placesOf(set).some((place) => place !== set.exposedAt);

const sourceOf = ({ id }: SnapshotSet): string => `holdstill-${id}`;

function placesOf(set: SnapshotSet): string[] {
  const own = readMounts().filter(({ fsType, source }) => fsType === "tmpfs" && source === sourceOf(set));
  return own.map(({ mountPoint }) => mountPoint);
}

/**
 * Where a mirror may come, by its real path. What is in the folder would be covered, and a link as its last part may be somebody
 * else's.
 *
 * @throws HoldstillError E_USAGE, E_MIRROR
 */
export function checkMountFolder(set: SnapshotSet, folder: string): string {
  // Without a slash at its end, which would follow a link.
  const whole = path.resolve(folder);
  const refuse = (problem: string, hint: string): never => {
    throw new HoldstillError("E_USAGE", { problem: `The snapshots are not mounted at ${folder}: ${problem}.`, hint });
  };
  if (!canMount()) throw new HoldstillError("E_MIRROR", { reason: "this process may not mount" });
  const stat = lstatSync(whole, { throwIfNoEntry: false });
  if (stat === undefined) return refuse("there is no such folder", `Make it: mkdir ${folder}`);
  if (stat.isSymbolicLink()) return refuse("it is a symbolic link", "Name the folder itself.");
  if (!stat.isDirectory()) return refuse("it is no folder", "Name an empty folder.");
  const real = path.join(realpathSync(path.dirname(whole)), path.basename(whole));
  const places = placesOf(set);
  if (places.includes(real)) return real;
  if (places.length > 0) {
    return refuse(
      `the set is mounted at ${places.join(", ")} already`,
      `Unexpose it first: holdstill unexpose ${set.id}`,
    );
  }
  if (readdirSync(whole).length > 0) return refuse("it is not empty", "Name an empty folder.");
  return real;
}
