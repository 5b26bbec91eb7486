import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import type { RestoreContents, SnapshotSet } from "../../base/schema/types.js";
import { readAccountsNow } from "../../base/trust/accounts.js";
import { canMount, mountBelow, type ShownTree, unmountTree } from "../../os/exec/mount-tree.js";
import { type Mount, readMounts } from "../../os/mounts.js";
import { accessAbove, openExposed } from "../../os/path/exposed-tree.js";
import type { FolderHandle } from "../../os/path/folder.js";
import { walk } from "../../os/path/walk.js";
import { exposedTrees } from "./exposed-trees.js";

/*
 * A set's snapshots at their original paths below one folder. For a command (`run`) they are mounted in its own namespace. For all
 * processes (`expose --at`) they are one tree of mounts, whose source contains the set's id. So the mount table shows which exist, even
 * if the process that made them died before it could write them down.
 */

/** Below the root, beside the snapshots: the set's record and the writers' sidecars, so that a backup of the root is complete. */
export const recordFolder = ".holdstill";

/** What is mounted of a set. @param contents Of a snapshot that was repaired: what the writer made of it, or what was cut. */
export const shownTrees = (set: SnapshotSet, contents: RestoreContents = "repaired"): ShownTree[] =>
  exposedTrees(set, contents).map((tree) => ({
    open: () => openExposed(tree),
    at: tree.original,
    above: accessAbove(tree),
  }));

/** The same with the folder of the set's record. */
export const withRecord = (set: SnapshotSet, record: string, contents?: RestoreContents): ShownTree[] => [
  ...shownTrees(set, contents),
  { open: () => walk(record, { accounts: readAccountsNow() }), at: `/${recordFolder}`, above: new Map() },
];

/** A folder at which a set is to be mounted, or is mounted already. */
export interface MountFolder extends Disposable {
  /** Real path. */
  readonly path: string;
  /** null: the set is mounted there. */
  readonly folder: FolderHandle | null;
}

/** Mounts the exposed snapshots there. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED; then nothing is mounted. */
export function mountSet(set: SnapshotSet, { path: at, folder }: MountFolder, record: string): SnapshotSet {
  if (folder !== null) mountBelow(folder, withRecord(set, record), sourceOf(set));
  return { ...set, exposedAt: at };
}

/** Unmounts everything of the set. @throws HoldstillError E_MIRROR_BUSY */
export function unmountSet(set: SnapshotSet): SnapshotSet {
  for (const mount of mountsOf(set)) unmountTree(mount);
  const now = { ...set };
  delete now.exposedAt;
  return now;
}

/** Whether there is a mount that the record does not name: the process that made it has died. */
export const hasStrayMount = (set: SnapshotSet): boolean =>
  mountsOf(set).some(({ mountPoint }) => mountPoint !== set.exposedAt);

const PREFIX = "holdstill-";
const sourceOf = ({ id }: SnapshotSet): string => PREFIX + id;

/** The id of the set that is mounted at a folder. */
function otherSetAt(folder: string): string | null {
  const mount = readMounts().findLast(({ mountPoint }) => mountPoint === folder);
  return mount?.fsType === "tmpfs" && mount.source.startsWith(PREFIX) ? mount.source.slice(PREFIX.length) : null;
}

function mountsOf(set: SnapshotSet): Mount[] {
  return readMounts().filter(({ fsType, source }) => fsType === "tmpfs" && source === sourceOf(set));
}

/**
 * Opens a folder at which a set can be mounted, after a way on which no other user can put something else in its place. Its contents would be
 * covered.
 *
 * @throws HoldstillError E_USAGE, E_MIRROR, E_PATH_UNSAFE, E_PATH_FAILED
 */
export function openMountFolder(set: SnapshotSet, named: string): MountFolder {
  // Without a slash at the end, which would follow a link.
  const whole = path.resolve(named);
  const name = path.basename(whole);
  const refuse = (problem: string, hint: string): never => {
    throw new HoldstillError("E_USAGE", { problem: `The snapshots are not mounted at ${named}: ${problem}.`, hint });
  };
  if (!canMount()) throw new HoldstillError("E_MIRROR", { reason: "this process may not mount" });
  if (name === "") return refuse("it is not empty", "Name an empty folder.");
  using parent = walk(path.dirname(whole), { accounts: readAccountsNow() });
  const status = parent.find(name);
  if (status === null) return refuse("the folder does not exist", `Make it: mkdir ${named}`);
  if (status.type === "symbolic link") return refuse("it is a symbolic link", "Name the folder itself.");
  if (status.type !== "folder") return refuse("it is not a folder", "Name an empty folder.");
  const real = path.join(parent.realPath(), name);
  const mountPoints = mountsOf(set).map(({ mountPoint }) => mountPoint);
  if (mountPoints.includes(real)) return { path: real, folder: null, [Symbol.dispose]: () => undefined };
  if (mountPoints.length > 0) {
    return refuse(
      `the set is mounted at ${mountPoints.join(", ")} already`,
      `Unexpose it first: holdstill unexpose ${set.id}`,
    );
  }
  const other = otherSetAt(real);
  if (other !== null) return refuse(`set ${other} is mounted there`, `Unexpose it first: holdstill unexpose ${other}`);
  // The owner may be any user: only that user's own folder is covered.
  const folder = parent.open(name, { owners: "any" });
  if (folder.list().length === 0) return { path: real, folder, [Symbol.dispose]: () => folder[Symbol.dispose]() };
  folder[Symbol.dispose]();
  return refuse("it is not empty", "Name an empty folder.");
}
