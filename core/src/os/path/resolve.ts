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
import { EINVAL, ELOOP, ENOENT, ENOTDIR, failed, unsafe } from "./refusal.js";
import { statusAt, statusOf } from "./status.js";
import type { Name, Syscalls } from "./syscalls.js";

/** An open folder, and what it is called in messages. */
export interface Base {
  readonly fd: number;
  readonly path: string;
}

/** Whether a path may lead onto another mount. Bind mounts and subvolumes that are mounted count. */
export type Mounts = "entered" | "refused";

/**
 * Opens a path below an open folder, and never anything else: no part of it may be a symbolic link, or `..`. openat2(2) does so in
 * one call. Where that fails, or the kernel does not have it (before 5.6, or a seccomp filter), the path is opened part by part,
 * under the same rules; so a refusal names the part, and both ways are as strict.
 *
 * @param flags O_*, beside O_CLOEXEC and O_NOFOLLOW. With O_PATH and without O_DIRECTORY the last part may be a link: it is opened itself.
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
export function openBeneath(sys: Syscalls, base: Base, relative: Name, flags: number, mounts: Mounts): number {
  const parts = partsOf(base, relative);
  const how = {
    flags: flags | O_CLOEXEC | O_NOFOLLOW,
    resolve:
      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | (mounts === "refused" ? RESOLVE_NO_XDEV : 0),
  };
  const fd = sys.openat2(base.fd, relative, how);
  if (fd >= 0) return fd;
  if (fd === -ENOENT) throw failed("Opening", pathIn(base, relative), fd);
  return byParts(sys, base, parts, flags, mounts);
}

/** As the last part of a path in messages. */
export function pathIn({ path }: { path: string }, name: Name): string {
  const text = Buffer.from(name).toString();
  return text === "" ? path : path === "/" ? `/${text}` : `${path}/${text}`;
}

/** One name in a folder: not a path, which could lead elsewhere. @throws HoldstillError E_PATH_UNSAFE */
export function checkName(base: Base, name: Name): void {
  const parts = partsOf(base, name);
  if (parts.length !== 1) throw unsafe(pathIn(base, name), null, "it is not a single name", "Name one entry.");
}

function partsOf(base: Base, relative: Name): Name[] {
  const parts = typeof relative === "string" ? relative.split("/") : [relative];
  for (const part of parts) {
    const text = Buffer.from(part);
    const isWrong =
      [".", "..", ""].includes(text.toString()) || text.includes(0) || (part !== relative && text.includes("/"));
    if (isWrong || (typeof part !== "string" && text.includes("/")))
      throw unsafe(pathIn(base, relative), null, "a part of the path is empty, `.` or `..`", "Name the path in full.");
  }
  return parts;
}

function byParts(sys: Syscalls, base: Base, parts: readonly Name[], flags: number, mounts: Mounts): number {
  const home = mounts === "refused" ? mountIdOf(sys, base) : null;
  let at = base;
  try {
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const wanted = isLast ? flags : O_PATH | O_DIRECTORY;
      const next = { fd: sys.openat(at.fd, part, wanted | O_NOFOLLOW | O_CLOEXEC, 0), path: pathIn(at, part) };
      if (next.fd < 0) throw reasonOf(sys, at, part, next.fd);
      if (at !== base) sys.close(at.fd);
      at = next;
      if (home !== null && mountIdOf(sys, at) !== home)
        throw unsafe(at.path, null, "another file system is mounted there", `Unmount it: findmnt ${at.path}`);
    }
    return at.fd;
  } catch (error) {
    if (at !== base) sys.close(at.fd);
    throw error;
  }
}

/** A link is a refusal, which names its owner; everything else is a failure. */
function reasonOf(sys: Syscalls, at: Base, part: Name, result: number): Error {
  const path = pathIn(at, part);
  if (result !== -ELOOP && result !== -ENOTDIR) return failed("Opening", path, result);
  const status = statusAt(sys, at.fd, part, path);
  if (status?.type !== "symbolic link") return failed("Opening", path, result);
  return unsafe(path, status.uid, "it is a symbolic link", `Put a folder in its place: ls -l ${path}`);
}

function mountIdOf(sys: Syscalls, { fd, path }: Base): number {
  const { mountId } = statusOf(sys, fd, path);
  if (mountId !== null) return mountId;
  const text = sys.fdinfo(fd);
  if (typeof text === "number") throw failed("Reading", path, text);
  const id = /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
  if (id === undefined) throw failed("Reading", path, -EINVAL);
  return Number(id);
}
