import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** How long between two looks at what a pipe still holds, ms. */
const lookAfter = 250;

/**
 * Gives up the output of a program that has ended, as somebody who left its process group may keep the pipes open for ever. What it
 * wrote itself is read by then: between two timers Node reads all that a pipe holds, pipe(7).
 */
export async function destroyPipes(pipes: readonly (Readable | null)[]): Promise<void> {
  for (let looks = 2; looks > 0; looks -= 1) await sleep(lookAfter, undefined, { ref: false });
  for (const pipe of pipes) pipe?.destroy();
}
