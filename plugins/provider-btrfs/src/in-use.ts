import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { isWithin } from "#kit/paths.js";
import type { FileSystem } from "./file-system.js";

/** Where a path from the top of the file system can be seen, through its mounts. */
export function visibleAt({ mounts }: FileSystem, inner: string): string[] {
  return mounts
    .filter(({ root }) => isWithin(inner, root))
    .map(({ root, point }) => path.join(point, path.relative(root, inner)));
}

/** A process that has a file or folder below one of these paths open, or works there; null: none is seen. */
export function userOf(folders: readonly string[]): string | null {
  const isBelow = (file: string): boolean => folders.some((folder) => isWithin(file, folder));
  for (const pid of namesIn("/proc").filter((name) => /^\d+$/.test(name))) {
    const links = ["cwd", "root", ...namesIn(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`)];
    if (!links.some((link) => isBelow(linkOf(`/proc/${pid}/${link}`)))) continue;
    return `${commandOf(pid)} (process ${pid})`;
  }
  return null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The text of the link is read, so nothing waits for a file system that does not respond. */
function linkOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "a process";
  }
}
