import { Refusal } from "./errors.js";

const MiB = 1024 ** 2;
const units: Record<string, number> = { K: 1024, M: MiB, G: 1024 ** 3, T: 1024 ** 4 };

/** Smallest room that `auto` takes, bytes. */
const AUTO_LEAST = 64 * MiB;

/** Room for one snapshot, bytes, of an origin of so many bytes; a multiple of 1 MiB. */
export function roomFor(size: string, originBytes: number): number {
  return Math.min(Math.ceil(wanted(size, originBytes) / MiB) * MiB, mostFor(originBytes));
}

function wanted(size: string, originBytes: number): number {
  if (size === "auto") return Math.max(originBytes / 5, AUTO_LEAST);
  const [, percent] = /^(\d+)%ORIGIN$/.exec(size) ?? [];
  if (percent !== undefined) return (originBytes * Number(percent)) / 100;
  const [, count, unit = ""] = /^(\d+)([KMGT])$/.exec(size) ?? [];
  return Number(count) * (units[unit] ?? 1);
}

/**
 * All of the origin, and what the persistent store keeps beside the data (dm-snap-persistent.c): a header, and an area of one
 * chunk for as many chunks as 16-byte entries fit into one, 256 for 4 KiB.
 */
function mostFor(originBytes: number): number {
  return Math.ceil((originBytes * (1 + 1 / 256)) / MiB) * MiB + MiB;
}

/** Throws a Refusal, with figures, unless so much is free. */
export function assertRoom(needed: number, free: number, where: string): void {
  if (needed <= free) return;
  throw new Refusal(
    "NO_SPACE",
    `The snapshots need ${formatBytes(needed)} in ${where}; ${formatBytes(free)} are free there.`,
    "Free some space, or give another `store` or a smaller `size`.",
  );
}

export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), names.length - 1);
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${names[power]}`;
}
