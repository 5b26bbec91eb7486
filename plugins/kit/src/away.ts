import { existsSync } from "node:fs";
import { readMounts } from "./mounts.js";
import { isWithin } from "./paths.js";

/** Where the file system is mounted that has the folder, or would have it. Absolute, and without links. */
export function mountPointOf(folder: string): string {
  const above = readMounts().filter(({ point }) => isWithin(folder, point));
  return above.toSorted((a, b) => b.point.length - a.point.length)[0]?.point ?? "/";
}

/**
 * Why it is not known what a folder contains; null: what is not there is gone.
 *
 * @param mountPoint As it was when something was put there; undefined: not known.
 */
export function awayReason(folder: string, mountPoint: string | undefined): string | null {
  const now = mountPointOf(folder);
  if (mountPoint !== undefined && now !== mountPoint)
    return `${folder} was on the file system at ${mountPoint}, and is now on the one at ${now}.`;
  return existsSync(folder) ? null : `The folder ${folder} does not exist.`;
}
