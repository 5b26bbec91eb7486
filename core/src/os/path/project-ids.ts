import { statfsSync } from "node:fs";
import { libcCall } from "../libc.js";
import { opened, visitCopied, type CopiedEntry } from "./copied-entries.js";
import type { PathHandle } from "./handle.js";
import { EOPNOTSUPP, ENOTTY, pathFailed } from "./refusal.js";

/** include/uapi/linux/magic.h */
const XFS_SUPER_MAGIC = 0x58465342;
/** include/uapi/linux/fs.h: struct fsxattr has five numbers of 32 bits, and 8 bytes that are not used. */
const FSXATTR_SIZE = 28;
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;

const ioctl = libcCall("int ioctl(int fd, unsigned long request, void *argument)");

/**
 * Gives a copy the project ids of what was copied, of which XFS counts the space: cp(1) knows nothing of them. Only root may do that. On a
 * file system that has none, nothing is done.
 *
 * @throws HoldstillError E_PATH_FAILED
 */
export async function copyProjectIds(from: PathHandle, to: PathHandle, signal: AbortSignal): Promise<void> {
  if (process.geteuid?.() !== 0 || statfsSync(from.procPath).type !== XFS_SUPER_MAGIC) return;
  await visitCopied(from, to, (entry) => (copyOne(entry) ? "below" : "beside"), signal);
}

/** @returns Whether the copy's file system has project ids. */
function copyOne({ source: from, copy: to }: CopiedEntry): boolean {
  const wanted = Buffer.alloc(FSXATTR_SIZE);
  using source = opened(from);
  const read = ioctl(source.fd, FS_IOC_FSGETXATTR, wanted);
  if (read < 0) throw pathFailed("Reading", from.path, read);
  using copy = opened(to);
  const now = Buffer.alloc(FSXATTR_SIZE);
  const known = ioctl(copy.fd, FS_IOC_FSGETXATTR, now);
  if (known === -ENOTTY || known === -EOPNOTSUPP) return false;
  if (known < 0) throw pathFailed("Reading", to.path, known);
  const flags = (now.readUInt32LE(0) & ~FS_XFLAG_PROJINHERIT) | (wanted.readUInt32LE(0) & FS_XFLAG_PROJINHERIT);
  const project = wanted.readUInt32LE(12);
  if (flags === now.readUInt32LE(0) && project === now.readUInt32LE(12)) return true;
  now.writeUInt32LE(flags >>> 0, 0);
  now.writeUInt32LE(project, 12);
  const set = ioctl(copy.fd, FS_IOC_FSSETXATTR, now);
  if (set === -EOPNOTSUPP) return false;
  if (set < 0) throw pathFailed("Changing the owner or mode of", to.path, set);
  return true;
}
