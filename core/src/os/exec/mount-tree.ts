import { spawnSync } from "node:child_process";
import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import { isWithin, readMounts } from "../mounts.js";
import type { FolderAccess } from "../path/exposed-tree.js";
import type { FolderHandle } from "../path/folder.js";
import type { PathHandle } from "../path/handle.js";
import { attachMount, detachedMount, detachedTmpfs, detachMount, makeReadOnly } from "../path/mounts-by-handle.js";
import { programAt } from "../path/programs.js";
import { isAbsence } from "../path/refusal.js";
import { rootFolder, walk } from "../path/walk.js";

/** What of a snapshot is mounted, and where. */
export interface ShownTree {
  /** Opens it: as itself, and below the snapshot's folder alone. */
  readonly open: () => PathHandle;
  /** Absolute; without links, because it was resolved when it was captured. */
  readonly at: string;
  /** Who may enter the folders above it, by their absolute paths. One that is not named is open for everybody. */
  readonly above: ReadonlyMap<string, FolderAccess>;
}

/** Where the contents of snapshots are mounted, for one command or for all processes. */
export interface MountTree {
  /** The folder below which they have their original paths; null: at the original paths themselves. */
  readonly root: string | null;
  readonly mounts: readonly ShownTree[];
}

/** Whether this process may mount. Root in a container may not. */
export function canMount(): boolean {
  return spawnSync(programAt("unshare"), ["--mount", programAt("true")], { stdio: "ignore" }).status === 0;
}

/** Mounts a tree in the mount namespace of this thread. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
export function mountTree({ root, mounts }: MountTree, name: string): void {
  if (root !== null) {
    using at = walk(root);
    return mountBelow(at, mounts, name);
  }
  using all = rootFolder();
  for (const { open, at } of outermostFirst(mounts)) {
    using covered = all.entry(at.slice(1), { owners: "any" });
    attachView(open, covered);
  }
}

/**
 * Mounts the snapshots read-only, below the folder, as one tree: the mount points are in a tmpfs and go with it. `name` is what the mount
 * table shows as its source. If it fails, nothing stays mounted.
 *
 * @param at An empty folder that was opened safely: it is covered, whatever its name leads to by now.
 * @throws HoldstillError E_PATH_UNSAFE where a link is in a mount point's way; E_PATH_FAILED
 */
export function mountBelow(at: FolderHandle, mounts: readonly ShownTree[], name: string): void {
  using points = detachedTmpfs(name, { size: "1m", mode: "0755" });
  attachMount(points, at);
  try {
    for (const tree of outermostFirst(mounts)) {
      using source = tree.open();
      using point = pointIn(points, tree, source);
      using view = detachedMount(source, { access: "read-only", links: "followed" });
      attachMount(view, point);
    }
    makeReadOnly(points);
  } catch (error) {
    unmountAll(points.status().mountId, "ignored");
    throw error;
  }
}

/** Unmounts such a tree. @throws HoldstillError E_MIRROR_BUSY, E_PATH_UNSAFE, E_PATH_FAILED */
export function unmountTree(root: { readonly id: number; readonly mountPoint: string }): void {
  try {
    unmountAll(root.id, "refused");
  } catch (error) {
    if (!isHoldstillError(error) || !("errno" in error.details) || error.details.errno !== "EBUSY") throw error;
    throw new HoldstillError("E_MIRROR_BUSY", { at: root.mountPoint, reason: error.details.reason });
  }
}

function attachView(open: () => PathHandle, at: PathHandle): void {
  using source = open();
  using view = detachedMount(source, { access: "read-only", links: "followed" });
  attachMount(view, at);
}

const outermostFirst = (mounts: readonly ShownTree[]): readonly ShownTree[] =>
  mounts.toSorted((a, b) => a.at.length - b.at.length);

/** The place of an original path below the root: made in the tmpfs, and there already in a snapshot that lies around it. */
function pointIn(root: FolderHandle, { at: original, above }: ShownTree, source: PathHandle): PathHandle {
  const parts = original.split("/").filter((part) => part !== "");
  const name = parts.pop();
  if (name === undefined) return root.entry(".", { owners: "any" });
  let [folder, at] = [root, ""];
  try {
    for (const part of parts) {
      at += `/${part}`;
      folder = closing(folder, root, folderIn(folder, part, above.get(at)));
    }
    return source.status().type === "folder" ? folderIn(folder, name) : fileIn(folder, name);
  } finally {
    if (folder !== root) folder[Symbol.dispose]();
  }
}

function closing(folder: FolderHandle, root: FolderHandle, next: FolderHandle): FolderHandle {
  if (folder !== root) folder[Symbol.dispose]();
  return next;
}

function folderIn(folder: FolderHandle, name: string, access?: FolderAccess): FolderHandle {
  const there = ifThere(() => folder.open(name, { owners: "any" }));
  if (there !== null) return there;
  const made = folder.mkdir(name, access === undefined ? 0o755 : 0o700);
  if (access === undefined) return made;
  made.chown(access.uid, access.gid);
  made.chmod(access.mode);
  return made;
}

function fileIn(folder: FolderHandle, name: string): PathHandle {
  return ifThere(() => folder.file(name, { owners: "any" })) ?? folder.create(name);
}

function ifThere<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

/** A mount with all that is mounted below it, the innermost first. Found by their ids: another mount may cover the same path. */
function unmountAll(id: number | null, use: "refused" | "ignored"): void {
  const mounts = readMounts();
  const top = mounts.find((mount) => mount.id === id);
  if (top === undefined) return;
  using root = rootFolder();
  const own = new Set([top.id]);
  const all = mounts.filter((mount) => {
    const isOwn = own.has(mount.id) || (own.has(mount.parent) && isWithin(mount.mountPoint, top.mountPoint));
    if (isOwn) own.add(mount.id);
    return isOwn;
  });
  for (const { id: one, mountPoint } of all.toReversed()) {
    const at = mountPoint.lastIndexOf("/");
    const [above, name] = [mountPoint.slice(1, at), mountPoint.slice(at + 1)];
    if (above === "") detachMount(root, name, one, use);
    else {
      using folder = root.open(above, { owners: "any" });
      detachMount(folder, name, one, use);
    }
  }
}
