import {
  AT_REMOVEDIR,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "./flags.js";
import { PathHandle, RegularFile } from "./handle.js";
import { ENOENT, pathFailed, isAbsence, pathUnsafe } from "./refusal.js";
import { checkName, type PathLimits, openBeneath, pathIn } from "./resolve.js";
import { type FileStatus, statusAt } from "./status.js";
import { kernel, type FileName, type Syscalls } from "./syscalls.js";
import type { PathTrust } from "./trust.js";

/** new: there must be nothing of that name. swap: the two change names. replace: what is there is removed. */
export type RenameMode = "new" | "swap" | "replace";

const renameFlags: Readonly<Record<RenameMode, number>> = { new: RENAME_NOREPLACE, swap: RENAME_EXCHANGE, replace: 0 };

/**
 * A folder, held by a descriptor. All that is done in it is done by names in this very folder: no link is followed, and no part of a
 * path can be led elsewhere while another user renames in it. openat(2), "Rationale for openat() and other directory file descriptor APIs".
 */
export class FolderHandle extends PathHandle {
  /** Who may change what is opened below it. */
  readonly trust: PathTrust;

  /** Takes over the descriptor. */
  constructor(fd: number, path: string, sys: Syscalls = kernel, trust: PathTrust = {}) {
    super(fd, path, sys);
    this.trust = trust;
  }

  /** Takes over the handle's descriptor. @throws HoldstillError E_PATH_UNSAFE where it is not a folder */
  static of(handle: PathHandle, trust: PathTrust = {}): FolderHandle {
    if (handle instanceof FolderHandle) return handle;
    const { type, uid } = handle.status();
    if (type === "folder") return new FolderHandle(handle.release(), handle.path, handle.sys, trust);
    handle[Symbol.dispose]();
    throw pathUnsafe(
      handle.path,
      uid,
      `it is a ${type}, not a folder`,
      `Put a folder in its place: ls -l ${handle.path}`,
    );
  }

  /** A folder below it. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
  open(relative: FileName, limits: PathLimits = {}): FolderHandle {
    return this.#folder(relative, openBeneath(this, relative, O_PATH | O_DIRECTORY, limits));
  }

  /** Whatever is there, itself: a folder, a file, a device that is not opened, a link that is not followed. */
  entry(relative: FileName, limits: PathLimits = {}): PathHandle {
    return new PathHandle(openBeneath(this, relative, O_PATH, limits), pathIn(this, relative), this.sys);
  }

  /** A regular file below it, to read. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
  file(relative: FileName, limits: PathLimits = {}): RegularFile {
    return RegularFile.of(this.entry(relative, limits), O_RDONLY);
  }

  /** What has that name in it; null: nothing. */
  find(name: FileName): FileStatus | null {
    checkName(this, name);
    return statusAt(this.sys, this.fd, name, pathIn(this, name));
  }

  /** The names in it, in no order. One that is not UTF-8 comes as its bytes. */
  list(): FileName[] {
    const names = this.sys.names(this.procPath);
    if (typeof names === "number") throw pathFailed("Reading", this.path, names);
    return names.map((name) => (Buffer.from(name.toString()).equals(name) ? name.toString() : name));
  }

  /**
   * Makes a folder. What is opened afterwards is seen to be empty, and of this process's user: so if another user renames in this
   * folder between the two calls, what comes out is refused. Until its mode is set, other users cannot enter it.
   *
   * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
   */
  mkdir(name: FileName, mode = 0o700): FolderHandle {
    checkName(this, name);
    const result = this.sys.mkdirat(this.fd, name, 0o700);
    if (result < 0) throw pathFailed("Creating", pathIn(this, name), result);
    const made = this.open(name, { mounts: "refused", owners: "any" });
    try {
      const { uid } = made.status();
      if (uid !== process.geteuid?.() || made.list().length > 0)
        throw pathUnsafe(made.path, uid, "another user put a folder in the place of the new one", takeOver(this.path));
      if (mode !== 0o700) made.chmod(mode);
      return made;
    } catch (error) {
      made[Symbol.dispose]();
      throw error;
    }
  }

  /** The folder of that name; made where there is none. */
  openOrMake(name: FileName, mode = 0o700): FolderHandle {
    try {
      return this.open(name);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      return this.mkdir(name, mode);
    }
  }

  /** Makes a regular file that did not exist, for reading and writing. */
  create(name: FileName, mode = 0o600): RegularFile {
    checkName(this, name);
    const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const fd = this.sys.openat(this.fd, name, flags, mode);
    if (fd < 0) throw pathFailed("Creating", pathIn(this, name), fd);
    return new RegularFile(fd, pathIn(this, name), this.sys);
  }

  /** Makes a symbolic link; nothing may be there. */
  link(name: FileName, target: FileName): void {
    checkName(this, name);
    const result = this.sys.symlinkat(target, this.fd, name);
    if (result < 0) throw pathFailed("Creating", pathIn(this, name), result);
  }

  /**
   * Renames an entry, also into another folder of the same mount.
   *
   * @param expected What must have the new name afterwards, as `find` or `status` reported it. Another user who may write in one of
   * the folders can put something else there: that is refused, and put back as far as the user leaves it.
   * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
   */
  renameTo(
    name: FileName,
    folder: FolderHandle,
    newName: FileName,
    how: RenameMode,
    expected?: Pick<FileStatus, "identity">,
  ): void {
    checkName(this, name);
    checkName(folder, newName);
    const rename = (): number => this.sys.renameat2(this.fd, name, folder.fd, newName, renameFlags[how]);
    const result = rename();
    if (result < 0) throw pathFailed("Renaming", pathIn(this, name), result);
    if (expected === undefined) return;
    const found = folder.find(newName);
    if (found?.identity === expected.identity) return;
    if (how === "swap") rename();
    if (how === "new") this.sys.renameat2(folder.fd, newName, this.fd, name, RENAME_NOREPLACE);
    const reason = "another user put something else in the place of what was renamed";
    throw pathUnsafe(pathIn(folder, newName), found?.uid ?? null, reason, takeOver(folder.path));
  }

  /** Removes a file or link. One that is gone is a success. */
  unlink(name: FileName): void {
    this.#remove(name, 0);
  }

  /** Removes an empty folder. One that is gone is a success. */
  rmdir(name: FileName): void {
    this.#remove(name, AT_REMOVEDIR);
  }

  #remove(name: FileName, flags: number): void {
    checkName(this, name);
    const result = this.sys.unlinkat(this.fd, name, flags);
    if (result < 0 && result !== -ENOENT) throw pathFailed("Removing", pathIn(this, name), result);
  }

  #folder(relative: FileName, fd: number): FolderHandle {
    return new FolderHandle(fd, pathIn(this, relative), this.sys, this.trust);
  }
}

const takeOver = (folder: string): string => `See who can write to ${folder}: namei -l ${folder}`;
