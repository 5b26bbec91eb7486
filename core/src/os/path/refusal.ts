import { constants as os } from "node:os";
import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import { quoted } from "../../base/trust/ownership.js";
import { errnoName } from "../errno.js";
import { mountAt, readMounts } from "../mounts.js";

/** What was attempted, as the subject of a sentence. */
export type PathAction =
  | "Opening"
  | "Reading"
  | "Creating"
  | "Copying to"
  | "Removing"
  | "Renaming"
  | "Changing the owner or mode of"
  | "Flushing"
  | "Mounting"
  | "Unmounting";

type Meaning = readonly [reason: string, shows: (path: string) => string];

/** What an errno means on a path, and the command that shows why. errno(3), path_resolution(7). */
const ofPath: Readonly<Record<string, Meaning>> = {
  EACCES: ["permission is denied", (path) => `namei -l ${path}`],
  EAGAIN: ["another process has a lease on it, or keeps renaming it", (path) => `fuser -v ${path}`],
  EBUSY: ["it is in use, or a mount point", (path) => `findmnt -T ${path}; fuser -vm ${path}`],
  EDQUOT: ["the disk quota of its owner is exhausted", () => "repquota -a"],
  EEXIST: ["something of that name exists already", (path) => `ls -ld ${path}`],
  EIO: ["the disk reports an error", () => "journalctl -k -n 50"],
  EISDIR: ["it is a folder", (path) => `ls -ld ${path}`],
  ELOOP: ["a symbolic link is in the way", (path) => `namei -l ${path}`],
  EMFILE: ["this process has too many files open", () => "ulimit -n"],
  ENAMETOOLONG: ["the name or the path is too long", (path) => `getconf NAME_MAX ${path}`],
  ENFILE: ["the system has too many files open", () => "cat /proc/sys/fs/file-nr"],
  ENODEV: ["the device does not exist", () => "cat /proc/filesystems"],
  ENOENT: ["it does not exist", (path) => `namei -l ${path}`],
  ENOSYS: ["this kernel is too old: it must be Linux 5.12, or 5.14 to bar links", () => "uname -r"],
  ENOTDIR: ["a part of the path is not a folder", (path) => `namei -l ${path}`],
  ENOTEMPTY: ["it is not empty", (path) => `ls -la ${path}`],
  ENXIO: ["the device or the reader does not exist", (path) => `ls -l ${path}`],
  EPERM: ["the kernel does not permit this: it is immutable, or a right is missing", (path) => `lsattr -d ${path}`],
  ETXTBSY: ["it is a program that runs", (path) => `fuser -v ${path}`],
};

/** What an errno means of the whole mount that a path is on, and the command that shows why. The path may be gone when a person looks. */
const ofMount: Readonly<Record<string, Meaning>> = {
  EBADMSG: ["the file system is damaged", () => "journalctl -k -n 50"],
  EFBIG: ["it is larger than the file system allows", (path) => `findmnt ${path}`],
  EINVAL: ["the file system does not support this", (path) => `findmnt ${path}`],
  ENOSPC: ["the disk has no space or no inodes left", (path) => `df -h ${path}; df -i ${path}`],
  EOPNOTSUPP: ["the file system does not take this, such as an extended attribute", (path) => `findmnt ${path}`],
  EROFS: ["the file system is mounted read-only", (path) => `findmnt ${path}`],
  ESTALE: ["the file server no longer has it", (path) => `findmnt ${path}`],
  EUCLEAN: ["the file system is damaged", () => "journalctl -k -n 50"],
  EXDEV: ["it is on another mount", (path) => `findmnt ${path}`],
};

/** A call of the kernel that failed. @param result The negative errno. */
export function pathFailed(action: PathAction, path: string, result: number): HoldstillError<"E_PATH_FAILED"> {
  const errno = errnoName(-result);
  const [reason, shows] = ofMount[errno] ?? ofPath[errno] ?? ["the kernel refuses it", () => "journalctl -k -n 50"];
  const about = errno in ofMount ? (mountAt(readMounts(), path)?.mountPoint ?? path) : path;
  return new HoldstillError("E_PATH_FAILED", { path, action, reason, errno, shows: shows(quoted(about)) });
}

/** A path on which another user could lead this process astray. @param owner Of what is at the path; null: unknown. */
export function pathUnsafe(
  path: string,
  owner: number | null,
  reason: string,
  remedy: string,
): HoldstillError<"E_PATH_UNSAFE"> {
  return new HoldstillError("E_PATH_UNSAFE", { path, owner, reason, remedy });
}

/** Whether a call failed because nothing is there. */
export function isAbsence(error: unknown): boolean {
  return isHoldstillError(error) && "errno" in error.details && error.details.errno === "ENOENT";
}

export const { EACCES, EBUSY, EEXIST, EISDIR, ELOOP, ENOENT, ENOSYS, ENOTDIR, ENOTEMPTY, EPERM, EXDEV, EAGAIN } =
  os.errno;
export const { ENODATA, ENOTTY, EOPNOTSUPP, ERANGE, EINVAL, EIO } = os.errno;
