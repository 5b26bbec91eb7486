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
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    fsType,
    source: unescapeOctal(source ?? ""),
    options: (options ?? "").split(",").map(unescapeOctal),
  };
}

/** Undoes the kernel's mangle_path (fs/seq_file.c): space, tab, newline, backslash and # are written as three octal digits. */
export function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Mounts by what they are mounted on and where, so that a look-up takes the same time among thousands of them. */
interface MountIndex {
  readonly root: Mount | undefined;
  readonly at: ReadonlyMap<string, Mount>;
}

const indexes = new WeakMap<readonly Mount[], MountIndex>();

const keyOf = (parent: number, mountPoint: string): string => `${parent} ${mountPoint}`;

function indexOf(mounts: readonly Mount[]): MountIndex {
  const known = indexes.get(mounts);
  if (known !== undefined) return known;
  const ids = new Set(mounts.map((mount) => mount.id));
  const isRoot = ({ id, parent, mountPoint }: Mount): boolean =>
    mountPoint === "/" && (!ids.has(parent) || parent === id);
  const at = new Map<string, Mount>();
  for (const mount of mounts) {
    const key = keyOf(mount.parent, mount.mountPoint);
    if (mount.parent !== mount.id && !at.has(key)) at.set(key, mount);
  }
  const index = { root: mounts.find(isRoot), at };
  indexes.set(mounts, index);
  return index;
}

/**
 * The mount that a resolved path is on. Walks from the root along the path, as the kernel does, and enters every mount on the way.
 * So a mount that another one covers is never found, however long its mount point.
 */
export function mountAt(mounts: readonly Mount[], realPath: string): Mount | undefined {
  const { root, at } = indexOf(mounts);
  let current = root;
  for (const point of pointsOf(realPath)) {
    // Several mounts may be stacked at one point: each is mounted on the one before.
    let met = current === undefined ? undefined : at.get(keyOf(current.id, point));
    while (met !== undefined && met !== current) {
      current = met;
      met = at.get(keyOf(current.id, point));
    }
  }
  return current;
}

/** `/a/b` passes `/`, `/a`, and `/a/b`. */
function pointsOf(realPath: string): string[] {
  const names = realPath.split("/").filter((name) => name !== "");
  return ["/", ...names.map((_, at) => `/${names.slice(0, at + 1).join("/")}`)];
}

/** Whether something is mounted at a point, and can be reached there. */
export const isMountPoint = (mounts: readonly Mount[], point: string): boolean =>
  mountAt(mounts, point)?.mountPoint === point;

/** The mounts below a path, the path itself not counted. Nothing is looked at but the table: a mount may not respond. */
export function mountsBelow(mounts: readonly Mount[], realPath: string): Mount[] {
  return mounts.filter(({ mountPoint }) => mountPoint !== realPath && isWithin(mountPoint, realPath));
}

/** Holds the kernel's state and not data: it need not be in a snapshot, and nothing can be put there. */
export const isOfKernel = ({ fsType }: Pick<Mount, "fsType">): boolean => kernelFileSystems.has(fsType);

const kernelFileSystems = new Set(
  (
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl " +
    "hugetlbfs mqueue nsfs proc pstore securityfs sysfs tracefs"
  ).split(" "),
);

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
