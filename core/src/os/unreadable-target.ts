import { HoldstillError } from "../base/errors/error.js";
import { errnoName } from "./errno.js";

const kernelLog = "See what the kernel reports: journalctl -k -n 50";
const repair = `${kernelLog}. To repair it, unmount it first: fsck, or xfs_repair.`;

const reasons: Record<string, { reason: string; remedy?: string }> = {
  ENOENT: { reason: "it does not exist" },
  EACCES: { reason: "permission denied" },
  ENOTDIR: { reason: "a part of the path is not a directory" },
  ELOOP: { reason: "its symbolic links form a loop" },
  EIO: { reason: "the disk reports an error", remedy: `${kernelLog}.` },
  EBADMSG: { reason: "its file system is damaged", remedy: repair },
  EUCLEAN: { reason: "its file system is damaged", remedy: repair },
  ESTALE: { reason: "the file server no longer has it", remedy: "Mount it again." },
};

/** Throws E_TARGET_UNREADABLE, with a system error's code in words. */
export function throwUnreadable(target: string, cause: unknown): never {
  if (typeof cause === "string") throw new HoldstillError("E_TARGET_UNREADABLE", { target, reason: cause });
  const errno = cause instanceof Error && "errno" in cause && typeof cause.errno === "number" ? cause.errno : null;
  const known = errno === null ? undefined : reasons[errnoName(Math.abs(errno))];
  const other = { reason: cause instanceof Error ? cause.message : String(cause) };
  throw new HoldstillError("E_TARGET_UNREADABLE", { target, ...(known ?? other) }, { cause });
}
