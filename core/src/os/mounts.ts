import { readFileSync, realpathSync } from "node:fs";
import { throwUnreadable } from "./unreadable-target.js";

/** One line of /proc/self/mountinfo; proc_pid_mountinfo(5) has the fields. */
export interface Mount {
  /** Unique while it is mounted; the kernel gives it to another mount later. */
  readonly id: number;
  /** The mount that it is mounted on; not in the table for the root of the mount namespace. */
  readonly parent: number;
  /** major:minor of the file system. Every subvolume of one btrfs has the same here, unlike in stat(2). */
  readonly number: string;
  /** What of the file system is mounted: "/", a subvolume, or a bind-mounted folder or file. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fsType: string;
  readonly source: string;
  /** Options of the file system, not of the mount: `subvol=/home`, `lowerdir=…`. */
  readonly options: readonly string[];
}

/** Reads the mount table of this process. It is a virtual file: it never blocks, even if a file system hangs. */
export function readMounts(file = "/proc/self/mountinfo"): Mount[] {
  return parseMounts(readFileSync(file, "utf8"));
}

export function parseMounts(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine);
}

function parseLine(line: string): Mount {
  const fields = line.split(" ");
  // Optional fields (shared:1 master:2 …) are between the sixth field and a single hyphen.
  const rest = fields.slice(fields.indexOf("-", 6) + 1);
  const [id, parent, number, root, mountPoint] = fields;
  const [fsType, source, options] = rest;
  if (number === undefined || root === undefined || mountPoint === undefined || fsType === undefined) {
    throw new TypeError(`not a line of mountinfo: ${line}`);
  }
  return {
    id: Number(id),
    parent: Number(parent),
    number,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    fsType,
    source: unescape(source ?? ""),
    options: (options ?? "").split(",").map(unescape),
  };
}

/** Undoes the kernel's mangle_path (fs/seq_file.c): space, tab, newline, backslash and # are written as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * The mount that a resolved path is on. Walks from the root along the path, as the kernel does, and enters every mount on the way.
 * So a mount that another one covers is never found, however long its mount point.
 */
export function mountAt(mounts: readonly Mount[], realPath: string): Mount | undefined {
  const ids = new Set(mounts.map((mount) => mount.id));
  let current = mounts.find(
    (mount) => mount.mountPoint === "/" && (!ids.has(mount.parent) || mount.parent === mount.id),
  );
  for (let met = current; met !== undefined; met = firstMet(mounts, met, realPath)) current = met;
  return current;
}

function firstMet(mounts: readonly Mount[], on: Mount, realPath: string): Mount | undefined {
  return mounts
    .filter((mount) => mount.parent === on.id && mount.id !== on.id && isWithin(realPath, mount.mountPoint))
    .reduce<Mount | undefined>(
      (first, mount) => (first === undefined || mount.mountPoint.length < first.mountPoint.length ? mount : first),
      undefined,
    );
}

/** realpath(3), with the failure as E_TARGET_UNREADABLE. */
export function realPathOf(target: string): string {
  try {
    return realpathSync(target);
  } catch (error) {
    return throwUnreadable(target, error);
  }
}

/** The path is the folder, or is below it. Both are absolute and normalized. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}
