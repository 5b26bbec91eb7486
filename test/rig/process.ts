import { readFileSync } from "node:fs";

/** A zombie that nobody has waited for yet is not alive. */
export function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
