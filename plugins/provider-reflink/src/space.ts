import { statfsSync, statSync } from "node:fs";
import { formatBytes } from "#kit/size.js";
import { nearestExisting, type Place } from "./place.js";
import { PluginError } from "./errors.js";
import type { Survey } from "./survey.js";

/** Left free whatever is copied, bytes: a full file system costs more than a snapshot is worth. */
const RESERVE = 16 * 1024 * 1024;
/** Metadata of a file or clone, bytes: an inode and its directory entry, rounded up. */
const PER_FILE = 1024;

/** What is free in a store that may not exist yet, bytes. */
export function freeIn(store: string): number {
  const { bavail, bsize } = statfsSync(nearestExisting(store));
  return Math.max(0, bavail * bsize - RESERVE);
}

/** Throws a PluginError, with numbers, unless everything fits; volumes whose stores share a file system add up. */
export function assertSpace(parts: readonly { place: Place; seen: Survey }[]): void {
  const needed = new Map<number, number>();
  for (const { place, seen } of parts) {
    const dir = nearestExisting(place.store);
    const { dev } = statSync(dir);
    const data = place.method === "copy" ? seen.bytes : 0;
    const sum = (needed.get(dev) ?? RESERVE) + data + seen.files * PER_FILE;
    needed.set(dev, sum);
    const { bavail, bsize } = statfsSync(dir);
    if (bavail * bsize < sum) {
      throw new PluginError(
        "NO_SPACE",
        `The ${place.method} needs ${formatBytes(sum)} in ${place.store}; ${formatBytes(bavail * bsize)} are free there.`,
        "Free some space, leave something out, or give another folder with the option `store`.",
      );
    }
  }
}
