import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** How long Node has to read what a pipe still holds, twice, ms. */
const READ_MS = 250;

/**
 * Closes the output of a program that has ended, because a process that left its group may keep the pipes open forever. What the
 * program itself wrote is read by then: between two timers Node reads everything that a pipe holds, pipe(7).
 */
export async function destroyPipes(pipes: readonly (Readable | null)[]): Promise<void> {
  for (let rounds = 2; rounds > 0; rounds -= 1) await sleep(READ_MS, undefined, { ref: false });
  for (const pipe of pipes) pipe?.destroy();
}
