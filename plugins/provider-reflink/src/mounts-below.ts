import { readFileSync } from "node:fs";
import path from "node:path";
import type { FileSystemVolume } from "holdstill/plugin";
import type { FolderHandle } from "#kit/folder-handle.js";
import { type Mount, parseMounts } from "#kit/mounts.js";
import { isWithin } from "#kit/paths.js";
import { removeTree } from "#kit/remove-tree.js";

/** A path with a character for each byte: a name need not be UTF-8. */
export type BytePath = string;

export const toBytes = (text: string): BytePath => Buffer.from(text).toString("latin1");
export const fromBytes = (bytes: BytePath): string => Buffer.from(bytes, "latin1").toString();

const readTable = (): Mount[] => parseMounts(readFileSync("/proc/self/mountinfo", "latin1"));

/**
 * The outermost mounts below the paths. The table is the authority, and none of them is looked at: a FUSE mount may refuse that to root,
 * or never answer.
 */
export function mountsBelow(paths: readonly string[]): Set<BytePath> {
  const folders = paths.map(toBytes);
  const isBelow = (point: BytePath): boolean => folders.some((folder) => point !== folder && isWithin(point, folder));
  const outermost: BytePath[] = [];
  // A path that begins another comes before it.
  for (const point of [...new Set(readTable().map((one) => one.point))].filter(isBelow).toSorted())
    if (!outermost.some((above) => isWithin(point, above))) outermost.push(point);
  return new Set(outermost);
}

/** The path by which a folder is seen in a volume: another one where either is reached through a bind mount. null: it is not in it. */
export function pathIn(
  { mountPoint, root }: Pick<FileSystemVolume, "mountPoint" | "root">,
  folder: string,
): string | null {
  const table = readTable();
  const inside = mountOf(table, toBytes(folder));
  if (inside?.number !== mountOf(table, toBytes(mountPoint))?.number || inside === undefined) return null;
  const onVolume = path.join(inside.root, path.relative(inside.point, toBytes(folder)));
  if (!isWithin(onVolume, toBytes(root))) return null;
  return path.join(mountPoint, fromBytes(path.relative(toBytes(root), onVolume)));
}

/** Whether space is counted by project ids there: `prjquota` of XFS and ext4, `pqnoenforce` of XFS. */
export const hasProjectQuota = (mountPoint: string, table: readonly Mount[] = readTable()): boolean =>
  mountOf(table, toBytes(mountPoint))?.options.some((one) => /^(prjquota|pquota|pqnoenforce)$/.test(one)) ?? false;

/** The last one covers those before. */
function mountOf(table: readonly Mount[], file: BytePath): Mount | undefined {
  const around = table.filter(({ point }) => isWithin(file, point));
  return around.findLast(({ point }) => around.every((other) => other.point.length <= point.length));
}

/** In the copy, the place of a mount is an empty folder: what the original hides below the mount is not shown. */
export async function emptyMountPoint(files: FolderHandle, point: BytePath, signal: AbortSignal): Promise<void> {
  const opened: FolderHandle[] = [];
  try {
    let folder = files;
    for (const name of point.split("/").filter((part) => part !== "")) {
      const bytes = Buffer.from(name, "latin1");
      const found = folder.find(bytes);
      // A file onto which another is mounted.
      if (found !== null && found.type !== "folder") return;
      folder = found === null ? folder.mkdir(bytes, 0o755) : folder.open(bytes, { owners: "any" });
      opened.push(folder);
    }
    for (const name of folder.list()) {
      const expected = folder.find(name);
      if (expected !== null) await removeTree(folder, name, { expected, signal });
    }
  } finally {
    for (const folder of opened) folder[Symbol.dispose]();
  }
}
