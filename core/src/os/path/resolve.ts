import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "./flags.js";
import { EINVAL, ELOOP, ENOENT, ENOTDIR, pathFailed, pathUnsafe } from "./refusal.js";
import { statusAt, statusOf } from "./status.js";
import type { FileName, Syscalls } from "./syscalls.js";
import { checkTransition, type SeenPath } from "./transition.js";
import type { PathTrust } from "./trust.js";

/** An open folder, what it is called in messages, and who may change what is below. */
export interface OpenFolder {
  readonly sys: Syscalls;
  readonly fd: number;
  readonly path: string;
  readonly trust: PathTrust;
}

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
 * Opens a path below an open folder, and never anything else: no part of it may be a symbolic link, or `..`. Where owners are not checked,
 * openat2(2) does so in one call. Otherwise, where that fails, and where the kernel does not have it (before 5.6, or a seccomp filter), the
 * path is opened part by part, under the same rules; so a refusal names the part, and both ways are as strict.
 *
 * @param flags O_*, beside O_CLOEXEC and O_NOFOLLOW. With O_PATH and without O_DIRECTORY the last part may be a link: it is opened itself.
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
export function openBeneath(base: OpenFolder, relative: FileName, flags: number, limits: PathLimits = {}): number {
  const parts = partsOf(base, relative);
  if (limits.owners === "any") {
    const resolve = NOTHING_ELSE | (limits.mounts === "refused" ? RESOLVE_NO_XDEV : 0);
    const fd = base.sys.openat2(base.fd, relative, { flags: flags | O_CLOEXEC | O_NOFOLLOW, resolve });
    if (fd >= 0) return fd;
    if (fd === -ENOENT) throw pathFailed("Opening", pathIn(base, relative), fd);
  }
  return byParts(base, parts, flags, limits);
}

const NOTHING_ELSE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/** As the last part of a path in messages. */
export function pathIn({ path }: { path: string }, name: FileName): string {
  const text = Buffer.from(name).toString();
  return text === "" ? path : path === "/" ? `/${text}` : `${path}/${text}`;
}

/** One name in a folder: not a path, which could lead elsewhere. @throws HoldstillError E_PATH_UNSAFE */
export function checkName(base: { path: string }, name: FileName): void {
  const parts = partsOf(base, name);
  if (parts.length !== 1) throw pathUnsafe(pathIn(base, name), null, "it is not a single name", "Name one entry.");
}

function partsOf(base: { path: string }, relative: FileName): FileName[] {
  const parts = typeof relative === "string" ? relative.split("/") : [relative];
  for (const part of parts) {
    const text = Buffer.from(part);
    const isWrong =
      [".", "..", ""].includes(text.toString()) || text.includes(0) || (part !== relative && text.includes("/"));
    if (isWrong || (typeof part !== "string" && text.includes("/")))
      throw pathUnsafe(
        pathIn(base, relative),
        null,
        "a part of the path is empty, `.` or `..`",
        "Name the path in full.",
      );
  }
  return parts;
}

function byParts(base: OpenFolder, parts: readonly FileName[], flags: number, { mounts, owners }: PathLimits): number {
  const { sys, trust } = base;
  let { fd } = base;
  const moveTo = (next: number): void => {
    if (fd !== base.fd) sys.close(fd);
    fd = next;
  };
  try {
    let from: SeenPath = { handle: base, status: statusOf(sys, fd, base.path) };
    const home = mounts === "refused" ? mountIdOf(from) : null;
    for (const [index, part] of parts.entries()) {
      const path = pathIn(from.handle, part);
      const wanted = index === parts.length - 1 ? flags : O_PATH | O_DIRECTORY;
      const next = sys.openat(fd, part, wanted | O_NOFOLLOW | O_CLOEXEC, 0);
      if (next < 0) throw reasonOf(from, part, next);
      moveTo(next);
      const to: SeenPath = { handle: { sys, fd, path }, status: statusOf(sys, fd, path) };
      if (home !== null && mountIdOf(to) !== home)
        throw pathUnsafe(path, to.status.uid, "another file system is mounted there", `Unmount it: findmnt ${path}`);
      if (owners !== "any") checkTransition(from, to, trust);
      from = to;
    }
    return fd;
  } catch (error) {
    moveTo(base.fd);
    throw error;
  }
}

/** A link is a refusal, which names its owner; everything else is a failure. */
function reasonOf({ handle }: SeenPath, part: FileName, result: number): Error {
  const path = pathIn(handle, part);
  if (result !== -ELOOP && result !== -ENOTDIR) return pathFailed("Opening", path, result);
  const status = statusAt(handle.sys, handle.fd, part, path);
  if (status?.type !== "symbolic link") return pathFailed("Opening", path, result);
  return pathUnsafe(path, status.uid, "it is a symbolic link", `Put a folder in its place: ls -l ${path}`);
}

/** statx(2) has it since 5.8. */
function mountIdOf({ handle: { sys, fd, path }, status: { mountId } }: SeenPath): number {
  if (mountId !== null) return mountId;
  const text = sys.fdinfo(fd);
  if (typeof text === "number") throw pathFailed("Reading", path, text);
  const id = /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
  if (id === undefined) throw pathFailed("Reading", path, -EINVAL);
  return Number(id);
}
