import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW } from "./flags.js";
import { ENOENT, pathFailed } from "./refusal.js";
import type { FileName, Syscalls } from "./syscalls.js";

export type FileType = "folder" | "file" | "symbolic link" | "FIFO" | "socket" | "block device" | "character device";

/** What statx(2) reports, of a file, folder or link itself. */
export interface FileStatus {
  readonly type: FileType;
  /** Without the type: 0o7777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names that the file has. */
  readonly links: number;
  readonly size: number;
  /** Device and inode: two descriptors that have the same refer to one file. */
  readonly identity: string;
  /** major:minor of the file system; every subvolume of a btrfs has its own. */
  readonly device: string;
  /** As in mountinfo; null before Linux 5.8. */
  readonly mountId: number | null;
}

const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;
const types: Readonly<Record<number, FileType>> = {
  0o04: "folder",
  0o10: "file",
  0o12: "symbolic link",
  0o01: "FIFO",
  0o14: "socket",
  0o06: "block device",
  0o02: "character device",
};

/** Of what a descriptor refers to. @param path For messages. */
export function statusOf(sys: Syscalls, fd: number, path: string): FileStatus {
  const found = look(sys, fd, "", AT_EMPTY_PATH, path);
  if (found === null) throw pathFailed("Reading", path, -ENOENT);
  return found;
}

/** Of what has that name in a folder; a link is not followed. null: nothing has. */
export function statusAt(sys: Syscalls, dir: number, name: FileName, path: string): FileStatus | null {
  return look(sys, dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, path);
}

/** struct statx is the same on every architecture. */
function look(sys: Syscalls, dir: number, name: FileName, flags: number, path: string): FileStatus | null {
  const bytes = Buffer.alloc(256);
  const result = sys.statx(dir, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, bytes);
  if (result === -ENOENT) return null;
  if (result < 0) throw pathFailed("Reading", path, result);
  const mode = bytes.readUInt16LE(28);
  const device = `${bytes.readUInt32LE(136)}:${bytes.readUInt32LE(140)}`;
  return {
    type: types[mode >> 12] ?? "file",
    mode: mode & 0o7777,
    uid: bytes.readUInt32LE(20),
    gid: bytes.readUInt32LE(24),
    links: bytes.readUInt32LE(16),
    size: Number(bytes.readBigUInt64LE(40)),
    identity: `${device}:${bytes.readBigUInt64LE(32)}`,
    device,
    mountId: (bytes.readUInt32LE(0) & STATX_MNT_ID) === 0 ? null : Number(bytes.readBigUInt64LE(144)),
  };
}
