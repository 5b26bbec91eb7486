import { readFileSync, statSync } from "node:fs";
import { unescape } from "#kit/mounts.js";

/** An active swap file in one of these subvolumes, with which the kernel makes no snapshot of it; null: there is none (swapon(8)). */
export function swapFileIn(subvolumes: readonly string[]): string | null {
  const lines = readFileSync("/proc/swaps", "utf8").split("\n").slice(1);
  const files = lines.flatMap((line) => (/\sfile\s/.test(line) ? unescape(line.split(/\s/)[0] ?? "") : []));
  if (files.length === 0) return null;
  const devices = new Set(subvolumes.map((at) => deviceOf(at)));
  return files.find((file) => devices.has(deviceOf(file) ?? -1)) ?? null;
}

/** Each subvolume has its own. undefined: the path is not visible here. */
const deviceOf = (at: string): number | undefined => statSync(at, { throwIfNoEntry: false })?.dev;
