import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import type { PlacedFolder } from "./snapshot.js";

const EVERY_MS = 1000;

/**
 * Does the work, whose programs do not sync what they write, and writes out the file systems of these folders: when the work has
 * ended well, all of it; and meanwhile every second. If it were all left to the end, it would be one wave, behind which the
 * commits of the captured server wait if they share a disk. If they share a file system, it is only done at the end: otherwise it
 * would write out the captured server's changes as well.
 *
 * @throws what the work throws; PG_RECOVERY with the message of sync(1).
 */
export async function whileWritingOut<T>(
  places: readonly PlacedFolder[],
  ctx: Context<Options>,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const working = work().finally(() => over.abort());
  const [done, written] = await Promise.allSettled([
    working,
    writeOutRegularly(places.filter(isApart), ctx, over.signal),
  ]);
  // If both failed, the server's error has the better reason.
  if (done.status === "rejected") throw done.reason;
  if (written.status === "rejected") throw written.reason;
  // What was written after the last of these began.
  await flush(places, ctx);
  return done.value;
}

async function writeOutRegularly(
  places: readonly PlacedFolder[],
  ctx: Context<Options>,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(EVERY_MS, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    await flush(places, ctx);
  }
}

async function flush(places: readonly PlacedFolder[], ctx: Context<Options>): Promise<void> {
  for (const { place } of places) {
    const { exitCode, stderr } = await ctx.exec("sync", ["-f", "--", place], { priority: "background" });
    if (exitCode === 0) continue;
    const hint = "Make sure that the storage has space for what the repair writes, and check the kernel's log.";
    throw new PluginError("PG_RECOVERY", `the snapshot cannot be written out: ${stderr.trim()}`, hint);
  }
}

function isApart({ place, original }: PlacedFolder): boolean {
  return statSync(place).dev !== statSync(original, { throwIfNoEntry: false })?.dev;
}
