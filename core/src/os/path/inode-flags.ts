import { statfsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { libcCall } from "../libc.js";
import { opened, visitCopied, type CopiedEntry } from "./copied-entries.js";
import { FolderHandle } from "./folder.js";
import type { PathHandle } from "./handle.js";
import { EOPNOTSUPP, ENOTTY, isAbsence, pathFailed } from "./refusal.js";
import type { FileName } from "./syscalls.js";

/** include/uapi/linux/fs.h, by the letters of chattr(1): what a person sets, and not what a file system notes for itself. */
const letters = {
  c: 0x4,
  S: 0x8,
  a: 0x20,
  d: 0x40,
  A: 0x80,
  m: 0x400,
  j: 0x4000,
  D: 0x10000,
  T: 0x20000,
  C: 0x800000,
  // The last one that is set: an immutable file takes no other.
  i: 0x10,
} as const;

const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
/** They keep even root from changing and renaming a file, so a copy gets them when everything else is done. */
const LOCKS = letters.i | letters.a;
const KEPT = Object.values(letters).reduce((all, flag) => all | flag, 0);
/** include/uapi/linux/magic.h */
const BTRFS_SUPER_MAGIC = 0x9123683e;

/** Entries between two turns of the event loop. */
const STRIDE = 256;

const ioctl = libcCall("int ioctl(int fd, unsigned long request, void *argument)");

/** A file or folder whose copy has yet to become immutable or append-only. */
interface Lock {
  /** Below the top of the tree. */
  readonly names: readonly FileName[];
  readonly flags: number;
  /** Of the copy. */
  readonly identity: string;
}

/** Flags that a copy does not have. */
export interface UnkeptFlags {
  /** Below the top of the tree; empty: the top itself. */
  readonly names: readonly FileName[];
  /** The letters of chattr(1). */
  readonly flags: string;
}

/** What of the flags of a tree is on its copy. */
export interface CopiedFlags {
  readonly locks: readonly Lock[];
  readonly unkept: readonly UnkeptFlags[];
}

/**
 * Gives a copy the inode flags of what was copied, but for those that lock it: cp(1) knows nothing of them. Flags that the file system of
 * the copy does not take are reported.
 *
 * @throws HoldstillError E_PATH_FAILED
 */
export async function copyFlags(from: PathHandle, to: PathHandle, signal: AbortSignal): Promise<CopiedFlags> {
  const locks: Lock[] = [];
  const unkept: UnkeptFlags[] = [];
  const visit = ({ source, copy, names }: CopiedEntry): "below" | "beside" => {
    const wanted = flagsOf(source);
    if (wanted === null) return "beside";
    const lost = setFlags(copy, wanted & KEPT & ~LOCKS);
    if (lost !== 0) unkept.push({ names, flags: lettersOf(lost) });
    if ((wanted & LOCKS) !== 0) locks.push({ names, flags: wanted & LOCKS, identity: copy.status().identity });
    return "below";
  };
  await visitCopied(from, to, visit, signal);
  return { locks, unkept };
}

/** Makes the copies immutable or append-only whose originals were. @returns Those that could not be, and those that are not there any more. */
export function lockCopies(top: PathHandle, locks: readonly Lock[]): UnkeptFlags[] {
  return locks.flatMap(({ names, flags, identity }) => {
    const lost = lockOne(top, names, { flags, identity });
    return lost === 0 ? [] : [{ names, flags: lettersOf(lost) }];
  });
}

function lockOne(top: PathHandle, names: readonly FileName[], { flags, identity }: Omit<Lock, "names">): number {
  let handle = top.duplicate();
  try {
    for (const name of names) {
      using folder = FolderHandle.of(handle);
      handle = folder.entry(name, { owners: "any" });
    }
    return handle.status().identity === identity ? setFlags(handle, flags) : flags;
  } catch (error) {
    if (isAbsence(error)) return flags;
    throw error;
  } finally {
    handle[Symbol.dispose]();
  }
}

/**
 * Makes the files and folders without copy-on-write of a tree on btrfs, empty, where they are to be copied to: a file takes that flag only
 * while it is empty.
 *
 * @throws HoldstillError E_PATH_FAILED
 */
export async function makeWithoutCow(
  from: PathHandle,
  into: FolderHandle,
  name: FileName,
  signal: AbortSignal,
): Promise<void> {
  if (![from, into].every(isBtrfs)) return;
  let count = 0;
  const step = async (source: PathHandle, above: readonly FileName[], own: FileName): Promise<void> => {
    const { type } = source.status();
    if (type !== "file" && type !== "folder") return;
    count += 1;
    if (count % STRIDE === 0) await setImmediate();
    signal.throwIfAborted();
    if (((flagsOf(source) ?? 0) & letters.C) !== 0) {
      using folder = makeAll(into, above);
      using made = type === "file" ? folder.create(own) : folder.openOrMake(own);
      setFlags(made, letters.C);
    }
    if (type === "file") return;
    using inside = FolderHandle.of(source.duplicate());
    for (const inner of inside.list()) {
      using below = inside.entry(inner, { owners: "any" });
      await step(below, [...above, own], inner);
    }
  };
  await step(from, [], name);
}

function makeAll(into: FolderHandle, names: readonly FileName[]): FolderHandle {
  let folder = FolderHandle.of(into.duplicate());
  for (const name of names) {
    using above = folder;
    folder = above.openOrMake(name);
  }
  return folder;
}

/** null: its file system has no flags. */
function flagsOf(handle: PathHandle): number | null {
  using file = opened(handle);
  const flags = Buffer.alloc(8);
  const result = ioctl(file.fd, FS_IOC_GETFLAGS, flags);
  if (result === -ENOTTY || result === -EOPNOTSUPP) return null;
  if (result < 0) throw pathFailed("Reading", handle.path, result);
  return flags.readUInt32LE(0);
}

/** Sets each on its own, as a file system refuses all of them for one that it does not know. @returns Those that are not set. */
function setFlags(handle: PathHandle, wanted: number): number {
  if (wanted === 0) return 0;
  let now = flagsOf(handle) ?? 0;
  using file = opened(handle);
  for (const flag of Object.values(letters).filter((one) => (wanted & ~now & one) !== 0)) {
    const flags = Buffer.alloc(8);
    flags.writeUInt32LE((now | flag) >>> 0, 0);
    if (ioctl(file.fd, FS_IOC_SETFLAGS, flags) >= 0) now = flagsOf(handle) ?? 0;
  }
  // Only btrfs writes a copy of what is changed, unless it is told not to.
  return wanted & ~now & ~(isBtrfs(handle) ? 0 : letters.C);
}

const isBtrfs = (handle: PathHandle): boolean => statfsSync(handle.procPath).type === BTRFS_SUPER_MAGIC;

const lettersOf = (flags: number): string =>
  Object.entries(letters)
    .flatMap(([letter, flag]) => ((flags & flag) === 0 ? [] : [letter]))
    .join("");
