import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { PostgresFault } from "./fault.js";
import type { Options } from "./options.js";

const EVERY_MS = 1000;

/**
 * Does the work, and writes out meanwhile, every second, what it changes on the file systems of these folders; and at its end all of
 * it. Left to the end it would be one wave, behind which the commits of the captured server wait where they share a disk.
 *
 * @throws What the work throws; PG_RECOVERY with the words of sync(1).
 */
export async function writingOut<T>(
  folders: readonly string[],
  ctx: Context<Options>,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const working = work().finally(() => over.abort());
  const [done, written] = await Promise.allSettled([working, steadily(folders, ctx, over.signal)]);
  // Where both failed, the server says better why.
  if (done.status === "rejected") throw done.reason;
  if (written.status === "rejected") throw written.reason;
  return done.value;
}

async function steadily(folders: readonly string[], ctx: Context<Options>, over: AbortSignal): Promise<void> {
  do {
    await sleep(EVERY_MS, undefined, { signal: over }).catch(() => {});
    for (const folder of folders) await flush(folder, ctx);
  } while (!over.aborted);
}

async function flush(folder: string, ctx: Context<Options>): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("sync", ["-f", "--", folder], { priority: "background" });
  if (exitCode === 0) return;
  const hint = "See that the storage has room for what recovery writes, and what the kernel says of it.";
  throw new PostgresFault("PG_RECOVERY", `the picture cannot be written out: ${stderr.trim()}`, hint);
}
