import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_PRIVATE,
  O_CLOEXEC,
  OPEN_TREE_CLONE,
  UMOUNT_NOFOLLOW,
} from "./flags.js";
import { FolderHandle } from "./folder.js";
import { PathHandle } from "./handle.js";
import { pathFailed, pathUnsafe } from "./refusal.js";
import { checkName, pathIn } from "./resolve.js";
import { kernel, type FileName, type Syscalls } from "./syscalls.js";

/** How a mount may be used. Programs in it never get set-user-id rights, and devices never open. */
export interface MountView {
  readonly access: "read-only" | "writable";
  /**
   * barred: no program that works in it can be led out of it by a symbolic link, nor out of what it copies from one folder to another;
   * links are still read and copied as links. Linux 5.14.
   */
  readonly links: "followed" | "barred";
  /** Mounts below it: left out, or shown as well. Default: left out. */
  readonly submounts?: "left out" | "shown";
}

/**
 * A mount of the folder or file that is in no mount table yet: `attach` it, or use it by its descriptor alone. It is gone with its last
 * descriptor, so nothing of it can be left behind. open_tree(2), mount_setattr(2); Linux 5.12, and refused on older kernels.
 *
 * @throws HoldstillError E_PATH_FAILED
 */
export function detachedMount(of: PathHandle, { access, links, submounts = "left out" }: MountView): PathHandle {
  const { sys, path } = of;
  const flags = AT_EMPTY_PATH | (submounts === "shown" ? AT_RECURSIVE : 0);
  const fd = sys.openTree(of.fd, "", flags | OPEN_TREE_CLONE | O_CLOEXEC);
  if (fd < 0) throw pathFailed("Mounting", path, fd);
  const mount = new PathHandle(fd, path, sys);
  const set =
    MOUNT_ATTR_NOSUID |
    MOUNT_ATTR_NODEV |
    (access === "read-only" ? MOUNT_ATTR_RDONLY : 0) |
    (links === "barred" ? MOUNT_ATTR_NOSYMFOLLOW : 0);
  // Private: what is mounted at the original later does not appear here.
  const result = sys.mountSetattr(fd, "", flags, { set, propagation: MS_PRIVATE });
  if (result === 0) return mount;
  mount[Symbol.dispose]();
  throw pathFailed("Mounting", path, result);
}

/** An empty file system in memory, in no mount table yet. @param source What the mount table will show as its source. */
export function detachedTmpfs(
  source: string,
  { size, mode }: { size: string; mode: string },
  sys: Syscalls = kernel,
): FolderHandle {
  const context = sys.fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) throw pathFailed("Mounting", source, context);
  using config = new PathHandle(context, source, sys);
  for (const [key, value] of Object.entries({ source, size, mode }))
    must(sys.fsconfig(config.fd, FSCONFIG_SET_STRING, key, value), source);
  must(sys.fsconfig(config.fd, FSCONFIG_CMD_CREATE, null, null), source);
  const fd = must(sys.fsmount(config.fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV), source);
  return new FolderHandle(fd, source, sys);
}

/** Makes a mount that is attached read-only. @throws HoldstillError E_PATH_FAILED */
export function makeReadOnly(mount: PathHandle): void {
  must(mount.sys.mountSetattr(mount.fd, "", AT_EMPTY_PATH, { set: MOUNT_ATTR_RDONLY, propagation: 0 }), mount.path);
}

/**
 * Puts a detached mount onto a folder (or file): onto exactly what the handle refers to, wherever it is by now. Afterwards the handle
 * `at` still refers to what is covered, and `mount` to what covers it. move_mount(2).
 *
 * @throws HoldstillError E_PATH_FAILED
 */
export function attachMount(mount: PathHandle, at: PathHandle): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  must(at.sys.moveMount(mount.fd, "", at.fd, "", flags), at.path);
}

/**
 * Ends the mount at that name of a folder. A mount point cannot be renamed, so once it is seen to be the one that is meant, no other
 * can come in its place. umount(2) with UMOUNT_NOFOLLOW.
 *
 * @param mountId Of the mount that is meant, as `status` or mountinfo has it.
 * @param use refused: a mount in use stays. ignored: it leaves the mount table at once, with all below, and is gone when its last user
 * is (MNT_DETACH).
 * @throws HoldstillError E_PATH_UNSAFE where another mount, or none, is there; E_PATH_FAILED
 */
export function detachMount(folder: FolderHandle, name: FileName, mountId: number, use: "refused" | "ignored"): void {
  checkName(folder, name);
  const path = pathIn(folder, name);
  {
    // Closed before: a descriptor would be a use.
    using there = folder.entry(name, { owners: "any" });
    const { mountId: found, uid } = there.status();
    if (found !== mountId)
      throw pathUnsafe(path, uid, `mount ${mountId} is not there`, `See what is: findmnt -T ${path}`);
  }
  const flags = UMOUNT_NOFOLLOW | (use === "ignored" ? MNT_DETACH : 0);
  const result = folder.sys.umount2(`${folder.procPath}/${Buffer.from(name).toString()}`, flags);
  if (result < 0) throw pathFailed("Unmounting", path, result);
}

function must(result: number, path: string): number {
  if (result < 0) throw pathFailed("Mounting", path, result);
  return result;
}
