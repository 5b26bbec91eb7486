import { readdirSync, readFileSync } from "node:fs";

/** Children of that process whose command line has `part` in it. */
export function childrenOf(pid: number, part: string): number[] {
  return readdirSync("/proc")
    .filter((child) => new RegExp(`^PPid:\\s+${pid}$`, "m").test(read(`/proc/${child}/status`)))
    .filter((child) => read(`/proc/${child}/cmdline`).includes(part))
    .map(Number);
}

/** The keeper of a process, and the watchdog that takes over when the keeper is killed. */
export function keeperOf(pid: number): { keeper: number; watchdog: number } | null {
  const [keeper] = childrenOf(pid, "keeper/process/main.js");
  const [watchdog] = keeper === undefined ? [] : childrenOf(keeper, "keeper/process/rescue.js");
  return keeper === undefined || watchdog === undefined ? null : { keeper, watchdog };
}

/** Of a process that went away meanwhile there is nothing. */
export function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
