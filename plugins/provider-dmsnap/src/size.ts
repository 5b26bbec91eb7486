import { formatBytes, parseSize } from "#kit/size.js";
import { PluginError } from "./errors.js";

const MiB = 1024 ** 2;

/** The least space that `auto` takes, bytes. */
const AUTO_LEAST = 64 * MiB;

/** Space for one snapshot of an origin of that size, bytes; a multiple of 1 MiB. */
export function spaceFor(size: string, originBytes: number): number {
  return Math.min(Math.ceil(wanted(size, originBytes) / MiB) * MiB, mostFor(originBytes));
}

function wanted(size: string, originBytes: number): number {
  return size === "auto" ? Math.max(originBytes / 5, AUTO_LEAST) : parseSize(size, originBytes);
}

/**
 * All of the origin, and what the persistent store keeps beside the data (dm-snap-persistent.c): a header, and an area of one
 * chunk for as many chunks as 16-byte entries fit into one, 256 for 4 KiB.
 */
function mostFor(originBytes: number): number {
  return Math.ceil((originBytes * (1 + 1 / 256)) / MiB) * MiB + MiB;
}

/** Throws a PluginError, with figures, unless that much is free. */
export function assertSpace(needed: number, free: number, where: string): void {
  if (needed <= free) return;
  throw new PluginError(
    "NO_SPACE",
    `The snapshots need ${formatBytes(needed)} in ${where}; ${formatBytes(free)} are free there.`,
    "Free some space, or give another `store` or a smaller `size`.",
  );
}
