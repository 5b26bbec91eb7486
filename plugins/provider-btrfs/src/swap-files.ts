import { readFileSync, statSync } from "node:fs";
import type { FileSystemVolume } from "holdstill/plugin";

/** An active swap file in the subvolume of a volume, with which the kernel makes no snapshot of it; null: there is none (swapon(8)). */
export function swapFileIn({ paths: [captured = "/"] }: FileSystemVolume): string | null {
  const lines = readFileSync("/proc/swaps", "utf8").split("\n").slice(1);
  const files = lines.flatMap((line) => (/\sfile\s/.test(line) ? (line.split(/\s/)[0] ?? []) : []));
  const device = statSync(captured).dev;
  return files.find((file) => statSync(file, { throwIfNoEntry: false })?.dev === device) ?? null;
}
