import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A zombie that nobody has waited for yet is not alive. */
export function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Stops the process, and answers when no thread of it goes on: on a busy machine the kernel takes its time to stop them. */
export async function stopped(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const isStopped = (thread: string): boolean =>
    /^State:\s+T/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"));
  while (!readdirSync(`/proc/${pid}/task`).every(isStopped)) await sleep(5);
}
