import { readFileSync } from "node:fs";
import type { FileSystem } from "./file-system.js";

/** Whether /etc/fstab mounts the subvolume with that id by its number (fstab(5), btrfs(5)). */
export function isInFstab(id: number, fs: Pick<FileSystem, "uuid">): boolean {
  return isMountedByNumber(readFstab(), id, fs);
}

/** A line counts unless it names another file system by its UUID. */
export function isMountedByNumber(fstab: string, id: number, { uuid }: Pick<FileSystem, "uuid">): boolean {
  return fstab.split("\n").some((line) => {
    const [source = "", , , options = ""] = line.trim().split(/\s+/);
    if (source.startsWith("#") || !options.split(",").includes(`subvolid=${id}`)) return false;
    const [, named] = /^UUID="?([^"]+)"?$/i.exec(source) ?? [];
    return named === undefined || named.toLowerCase() === uuid.toLowerCase();
  });
}

function readFstab(): string {
  try {
    return readFileSync("/etc/fstab", "utf8");
  } catch {
    return "";
  }
}
