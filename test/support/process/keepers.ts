import { readdirSync, readFileSync } from "node:fs";

/** Children of that process whose command line has `part` in it. */
export function childrenOf(pid: number, part: string): number[] {
  return readdirSync("/proc")
    .filter((child) => new RegExp(`^PPid:\\s+${pid}$`, "m").test(read(`/proc/${child}/status`)))
    .filter((child) => read(`/proc/${child}/cmdline`).includes(part))
    .map(Number);
}

/** The keeper of a process, and what stands by to do the keeper's work when it is dead. */
export function keeperOf(pid: number): { keeper: number; guardian: number } | null {
  const [keeper] = childrenOf(pid, "keeper/process/main.js");
  const [guardian] = keeper === undefined ? [] : childrenOf(keeper, "keeper/process/rescue.js");
  return keeper === undefined || guardian === undefined ? null : { keeper, guardian };
}

/** Of a process that went away meanwhile there is nothing. */
export function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
