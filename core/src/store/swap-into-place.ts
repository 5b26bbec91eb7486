import { closeSync, openSync, renameSync } from "node:fs";
import path from "node:path";
import { syncDir } from "./state-directory.js";
import { WriteGate } from "./write-gate.js";
import { HoldstillError, toFault } from "../base/errors/error.js";
import { exchangePaths as exchangeNames, syncfs } from "../os/libc.js";

/** One copy, and the path that it takes. */
export interface PathSwap {
  /** Where it is put. */
  readonly to: string;
  /** Where the copy is, beside `to`. */
  readonly draft: string;
  /** What is at `to` now goes there; null: there is nothing. */
  readonly aside: string | null;
}

/**
 * Puts every copy in its place, when all of them are on disk. Each path has complete contents at every moment, even if this process is
 * killed: the copy and what was there exchange their names in one step.
 *
 * @throws HoldstillError E_RESTORE after everything was put back, as far as possible.
 */
export async function swapIntoPlace(steps: readonly PathSwap[], gate = new WriteGate()): Promise<void> {
  await flush(steps);
  await gate.write(() => putAll(steps));
}

function putAll(steps: readonly PathSwap[]): void {
  const done: PathSwap[] = [];
  for (const step of steps) {
    try {
      put(step);
    } catch (error) {
      const left = done.toReversed().flatMap((one) => putBack(one));
      throw refusal(step.to, toFault(error).message, left);
    }
    done.push(step);
  }
  for (const { to } of steps) syncDir(path.dirname(to));
}

function put({ to, draft, aside }: PathSwap): void {
  if (aside === null) return renameSync(draft, to);
  renameSync(draft, aside);
  try {
    exchangeNames(aside, to);
  } catch (error) {
    renameSync(aside, draft);
    throw error;
  }
}

/** @returns The places that could not be put back. */
function putBack({ to, draft, aside }: PathSwap): string[] {
  try {
    if (aside === null) renameSync(to, draft);
    else {
      exchangeNames(aside, to);
      renameSync(aside, draft);
    }
    return [];
  } catch {
    return [to];
  }
}

/** After a power cut a name may be on disk, and its contents not. */
async function flush(steps: readonly PathSwap[]): Promise<void> {
  for (const { to, draft } of steps) {
    const fd = openSync(draft, "r");
    try {
      const errno = await syncfs(fd);
      if (errno !== 0) throw refusal(to, `its file system could not be written to disk, errno ${errno}`, []);
    } finally {
      closeSync(fd);
    }
  }
}

function refusal(to: string, reason: string, left: readonly string[]): HoldstillError {
  const kept = left.length === 0 ? "Everything was put back" : `Not put back: ${left.join(", ")}; the rest was`;
  return new HoldstillError("E_RESTORE", { path: to, reason, remedy: `${kept}. Restore with --to, and copy.` });
}
