import { lstat, realpath, statfs } from "node:fs/promises";
import path from "node:path";
import type { TrustProblem } from "../../base/errors/details.js";
import { ownershipProblems, ownershipProblemsOfPath, quoted, type TrustedUser } from "../../base/trust/ownership.js";
import { grantsOthers } from "../../os/path/acl.js";
import { AT_FDCWD, O_CLOEXEC, O_NOFOLLOW, O_PATH } from "../../os/path/flags.js";
import { PathHandle } from "../../os/path/handle.js";
import { pathFailed } from "../../os/path/refusal.js";
import { kernel } from "../../os/path/syscalls.js";

/** statfs(2): NFS, CIFS, SMB 2 and ZFS, whose lists grant what the mode does not show. */
const ownLists: readonly number[] = [0x6969, 0xff534d42, 0xfe534d42, 0x2fc12fc1];

/**
 * What an access control list, acl(5), lets another user do who cannot by owner and mode. Only a file that is writable for its group may
 * have such a list: the group bits are the list's mask. So no other file is opened.
 */
export async function accessListProblems(file: string, who: TrustedUser): Promise<TrustProblem[]> {
  const stats = await lstat(file);
  // A link has no list, and its mode means nothing.
  if (stats.isSymbolicLink()) return [];
  if ((stats.mode & 0o020) === 0 && !ownLists.includes((await statfs(file)).type)) return [];
  if (ownershipProblems(file, stats, who).length > 0) return [];
  return granted(file, who);
}

/** The same for a path and every folder above it. The path must not contain symbolic links. */
export async function accessListProblemsAbove(realPath: string, who: TrustedUser): Promise<TrustProblem[]> {
  const found: TrustProblem[] = [];
  for (let dir = realPath, inner = ""; dir !== inner; inner = dir, dir = path.dirname(dir))
    found.push(...(await accessListProblems(dir, who)));
  return found;
}

/**
 * Everything that lets another user change a program or a config: owner, mode and access control list, of the file, of the link that it may
 * be, and of all folders above. @throws Error if it does not exist.
 */
export async function pathProblems(file: string, who: TrustedUser): Promise<TrustProblem[]> {
  const link = path.join(await realpath(path.dirname(file)), path.basename(file));
  const found = await ownershipProblemsOfPath(file, who);
  for (const one of new Set([link, await realpath(file)])) found.push(...(await accessListProblemsAbove(one, who)));
  return [...new Map(found.map((one) => [one.problem, one])).values()];
}

/** Who can read a file by its access control list, beside those whom its mode shows. */
export function readersByList(handle: PathHandle, { accounts }: TrustedUser): TrustProblem[] {
  const { path: file } = handle;
  if ((handle.status().mode & 0o040) === 0) return [];
  const others = grantsOthers(handle, { accounts }, "read");
  if (others.length === 0) return [];
  const problem = `${file} is readable for ${others.join(" and ")} by its access control list`;
  return [{ path: file, problem, remedy: `setfacl -b ${quoted(file)}` }];
}

function granted(file: string, { accounts }: TrustedUser): TrustProblem[] {
  const remedy = `setfacl -b ${quoted(file)}`;
  try {
    const fd = kernel.openat(AT_FDCWD, file, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) throw pathFailed("Opening", file, fd);
    using handle = new PathHandle(fd, file);
    const others = grantsOthers(handle, { accounts });
    if (others.length === 0) return [];
    return [
      { path: file, problem: `${file} is writable for ${others.join(" and ")} by its access control list`, remedy },
    ];
  } catch (error) {
    return [{ path: file, problem: (error as Error).message, remedy }];
  }
}
