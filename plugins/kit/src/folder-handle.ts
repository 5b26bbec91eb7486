import { isUtf8 } from "node:buffer";
import { type FileCalls, kernel, O_CREAT, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR } from "./file-calls.js";
import { type FileStatus, PathHandle, RegularFile } from "./path-handle.js";
import { attempt, isAbsence, pathUnsafe } from "./path-refusal.js";
import { checkTransition, type PathTrust } from "./path-trust.js";

/** A name as the kernel has it: bytes. It is text wherever it is UTF-8. */
export type FileName = string | Buffer;

/** What a path below a folder may lead to. */
export interface PathLimits {
  /** Of another mount; bind mounts and subvolumes that are mounted count. Default: entered. */
  readonly mounts?: "entered" | "refused";
  /**
   * checked: each part must be safe, by the rules of `checkTransition`. any: whatever is there, as in a captured tree, where one user's
   * folder has other users' files; links are refused all the same. Default: checked.
   */
  readonly owners?: "checked" | "any";
}

/**
 * A folder, held by a descriptor. All that is done in it is done by names in this very folder: no link is followed, and no part of a
 * path can be led elsewhere while another user renames in it. Node has no openat(2), so a name is given below `procPath`, which the
 * kernel resolves to the descriptor's folder.
 */
export class FolderHandle extends PathHandle {
  /** Who may change what is opened below it. */
  readonly trust: PathTrust;

  /** Takes over the descriptor. */
  constructor(fd: number, path: string, calls: FileCalls = kernel, trust: PathTrust = {}) {
    super(fd, path, calls);
    this.trust = trust;
  }

  /** Takes over the handle's descriptor. @throws PluginError PATH_UNSAFE where it is not a folder */
  static of(handle: PathHandle, trust: PathTrust = {}): FolderHandle {
    if (handle instanceof FolderHandle) return handle;
    const { type, uid } = handle.status();
    if (type === "folder") return new FolderHandle(handle.release(), handle.path, handle.calls, trust);
    handle[Symbol.dispose]();
    const { path } = handle;
    throw pathUnsafe(path, uid, `it is a ${type}, not a folder`, `Put a folder in its place: ls -l ${path}`);
  }

  /** A folder below it. @throws PluginError PATH_UNSAFE, PATH_FAILED */
  open(relative: FileName, limits: PathLimits = {}): FolderHandle {
    return FolderHandle.of(this.entry(relative, limits), this.trust);
  }

  /** A regular file below it, to read. @throws PluginError PATH_UNSAFE, PATH_FAILED */
  file(relative: FileName, limits: PathLimits = {}): RegularFile {
    return RegularFile.of(this.entry(relative, limits), O_RDONLY);
  }

  /**
   * Whatever is there, itself: a folder, a file, a device that is not opened, a link that is not followed. No part before the last may
   * be a link.
   *
   * @throws PluginError PATH_UNSAFE, PATH_FAILED
   */
  entry(relative: FileName, { mounts, owners }: PathLimits = {}): PathHandle {
    const home = mounts === "refused" ? this.mountId() : null;
    const enter = (from: FolderHandle, part: FileName): PathHandle => {
      using passed = from === this ? null : from;
      return step(passed ?? from, part, home, owners ?? "checked");
    };
    const [last = "", ...above] = partsOf(this, relative).toReversed();
    const folder = above.reduceRight<FolderHandle>(
      (from, part) => FolderHandle.of(enter(from, part), from.trust),
      this,
    );
    return enter(folder, last);
  }

  /** What has that name in it; null: nothing. */
  find(name: FileName): FileStatus | null {
    try {
      using there = referenceTo(this, name);
      return there.status();
    } catch (error) {
      if (isAbsence(error)) return null;
      throw error;
    }
  }

  /** The names in it, in no order. One that is not UTF-8 comes as its bytes. */
  list(): FileName[] {
    const names = attempt("Reading", this.path, () => this.calls.names(this.procPath));
    return names.map((name) => (isUtf8(name) ? name.toString() : name));
  }

  /**
   * Makes a folder. What is opened afterwards is seen to be empty, and of this process's user: so if another user renames in this
   * folder between the two calls, what comes out is refused. Until its mode is set, other users cannot enter it.
   *
   * @throws PluginError PATH_UNSAFE, PATH_FAILED
   */
  mkdir(name: FileName, mode = 0o700): FolderHandle {
    attempt("Creating", pathIn(this, name), () => this.calls.mkdir(this.at(name), 0o700));
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
    const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = attempt("Creating", pathIn(this, name), () => this.calls.open(this.at(name), flags, mode));
    return new RegularFile(fd, pathIn(this, name), this.calls);
  }

  /**
   * Renames an entry, also into another folder of the same mount, as rename(2) does: a file that has the new name, or an empty
   * folder, is replaced.
   *
   * @param expected What must have the new name afterwards, as `find` or `status` reported it: another user who may write in one of
   * the folders can put something else there.
   * @throws PluginError PATH_UNSAFE, PATH_FAILED
   */
  renameTo(name: FileName, folder: FolderHandle, newName: FileName, expected?: Pick<FileStatus, "identity">): void {
    attempt("Renaming", pathIn(this, name), () => this.calls.rename(this.at(name), folder.at(newName)));
    if (expected === undefined) return;
    const found = folder.find(newName);
    if (found?.identity === expected.identity) return;
    const reason = "another user put something else in the place of what was renamed";
    throw pathUnsafe(pathIn(folder, newName), found?.uid ?? null, reason, takeOver(folder.path));
  }

  /** Removes a file or link. One that is gone is a success. */
  unlink(name: FileName): void {
    remove(this, name, () => this.calls.unlink(this.at(name)));
  }

  /** Removes an empty folder. One that is gone is a success. */
  rmdir(name: FileName): void {
    remove(this, name, () => this.calls.rmdir(this.at(name)));
  }

  /** A name in this folder, for calls that do not follow a link in the last part of a path. @throws PluginError PATH_UNSAFE */
  at(name: FileName): Buffer {
    if (partsOf(this, name).length !== 1)
      throw pathUnsafe(pathIn(this, name), null, "it is not a single name", "Name one entry");
    return Buffer.concat([Buffer.from(`${this.procPath}/`), Buffer.from(name)]);
  }
}

function referenceTo(folder: FolderHandle, name: FileName): PathHandle {
  const path = pathIn(folder, name);
  const fd = attempt("Opening", path, () => folder.calls.open(folder.at(name), O_PATH | O_NOFOLLOW));
  return new PathHandle(fd, path, folder.calls);
}

function step(from: FolderHandle, name: FileName, home: number | null, owners: "checked" | "any"): PathHandle {
  const next = referenceTo(from, name);
  try {
    const { uid } = next.status();
    if (home !== null && next.mountId() !== home)
      throw pathUnsafe(next.path, uid, "another file system is mounted there", `Unmount it: findmnt ${next.path}`);
    if (owners === "checked") checkTransition(from, next, from.trust);
    return next;
  } catch (error) {
    next[Symbol.dispose]();
    throw error;
  }
}

function remove(folder: FolderHandle, name: FileName, call: () => void): void {
  try {
    attempt("Removing", pathIn(folder, name), call);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

/** As the last part of a path in messages. */
export function pathIn({ path }: { path: string }, name: FileName): string {
  return path === "/" ? `/${String(name)}` : `${path}/${String(name)}`;
}

/** Each a single name: never a path, which could lead elsewhere. @throws PluginError PATH_UNSAFE */
function partsOf(base: { path: string }, relative: FileName): FileName[] {
  const parts = typeof relative === "string" ? relative.split("/") : [relative];
  for (const part of parts) {
    const text = Buffer.from(part);
    const isName = ![".", "..", ""].includes(text.toString()) && !text.includes(0) && !text.includes("/");
    if (!isName)
      throw pathUnsafe(pathIn(base, relative), null, "a part of it is empty, `.` or `..`", "Name the path in full");
  }
  return parts;
}

const takeOver = (folder: string): string => `See who can write to ${folder}: namei -l ${folder}`;
