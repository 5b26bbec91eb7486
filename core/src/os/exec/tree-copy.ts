import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { text } from "node:stream/consumers";
import { isHoldstillError } from "../../base/errors/error.js";
import type { FolderHandle } from "../path/folder.js";
import type { PathHandle } from "../path/handle.js";
import { detachedMount } from "../path/mounts-by-handle.js";
import { copyFlags, makeWithoutCow, type CopiedFlags } from "../path/inode-flags.js";
import { copyProjectIds } from "../path/project-ids.js";
import { programAt, systemPath } from "../path/programs.js";
import { pathFailed } from "../path/refusal.js";
import { pathIn } from "../path/resolve.js";

const SOURCE_FD = 3;
const TARGET_FD = 4;

/**
 * Copies a file or a folder as it is: owners, modes, times, links, holes, extended attributes, XFS project ids, and inode flags; shares
 * extents if possible. No link in either of them is followed, also if another process changes them meanwhile. The copying ends with this
 * process, however this process ends.
 *
 * @param into Only this process's user may enter it.
 * @param name The copy in it; it must not exist.
 * @returns What of the inode flags is missing, and what is to be locked when nothing has to be changed any more.
 * @throws HoldstillError E_PATH_FAILED with the cause that cp reports; or the reason of the signal.
 */
export async function copyTree(
  from: PathHandle,
  into: FolderHandle,
  name: string,
  signal: AbortSignal,
): Promise<CopiedFlags> {
  signal.throwIfAborted();
  await makeWithoutCow(from, into, name, signal);
  using source = barred(from, "read-only");
  using target = barred(into, "writable");
  // -H: the source itself is named by a link of /proc. An attribute that the target does not take is an error.
  const options = ["--archive", "-H", "--preserve=xattr", "--reflink=auto", "--no-target-directory"];
  const paths = [`/proc/self/fd/${SOURCE_FD}`, `/proc/self/fd/${TARGET_FD}/${name}`];
  const child = spawn(
    programAt("setpriv"),
    ["--pdeathsig", "KILL", "--", programAt("cp"), ...options, "--", ...paths],
    { stdio: ["ignore", "ignore", "pipe", source.fd, target.fd], env: { PATH: systemPath, LC_ALL: "C" } },
  );
  const stop = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    const [, stderr] = await Promise.all([once(child, "exit"), child.stderr === null ? "" : text(child.stderr)]);
    signal.throwIfAborted();
    const { exitCode, signalCode } = child;
    if (exitCode === 0) {
      using copy = into.entry(name, { owners: "any" });
      await copyProjectIds(from, copy, signal);
      return await copyFlags(from, copy, signal);
    }
    const ended = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
    throw failure(stderr.trim().split("\n")[0] || `cp ended ${ended}`, from, into, name);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A view of it in which links lead nowhere. Without the right to mount, it is used as it is. */
function barred(handle: PathHandle, access: "read-only" | "writable"): PathHandle {
  try {
    return detachedMount(handle, { access, links: "barred" });
  } catch (error) {
    if (!isHoldstillError(error) || error.code !== "E_PATH_FAILED") throw error;
    return handle.duplicate();
  }
}

/** What strerror(3) says in the C locale, of what a file system refuses. */
const errnos: Readonly<Record<string, number>> = {
  "Operation not permitted": constants.errno.EPERM,
  "No such file or directory": constants.errno.ENOENT,
  "Permission denied": constants.errno.EACCES,
  "Read-only file system": constants.errno.EROFS,
  "No space left on device": constants.errno.ENOSPC,
  "Disk quota exceeded": constants.errno.EDQUOT,
  "File name too long": constants.errno.ENAMETOOLONG,
  "File too large": constants.errno.EFBIG,
  "File exists": constants.errno.EEXIST,
  "Input/output error": constants.errno.EIO,
  "Operation not supported": constants.errno.EOPNOTSUPP,
  "Too many levels of symbolic links": constants.errno.ELOOP,
};

/** The first line of cp, as an error of the path that it is about. */
function failure(line: string, from: PathHandle, into: FolderHandle, name: string): Error {
  const shown = line
    .replaceAll(`/proc/self/fd/${TARGET_FD}/${name}`, pathIn(into, name))
    .replaceAll(`/proc/self/fd/${SOURCE_FD}`, from.path);
  const errno = Object.keys(errnos).find((words) => shown.endsWith(`: ${words}`));
  const path = /[\u2018'](\/.*?)[\u2019'](?=: |$)/.exec(shown)?.[1] ?? pathIn(into, name);
  if (errno !== undefined) return pathFailed("Copying to", path, -(errnos[errno] ?? 0));
  return new Error(shown);
}
