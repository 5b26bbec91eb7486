import { closeSync, openSync, renameSync } from "node:fs";
import path from "node:path";
import { syncDir } from "./state-directory.js";
import { HoldstillError, toFault } from "../base/errors/error.js";
import { exchangePaths as exchangeNames, syncfs } from "../os/libc.js";
import type { RestoreStep } from "../engine/restore/restore-plan.js";

/**
 * Puts every copy in its place, when all of them are on disk. What is at a place is whole at every moment, also when this process
 * is killed: the copy and what was there change names at once.
 *
 * @param calm Resolves when a name may be changed.
 * @throws HoldstillError E_RESTORE after everything was put back, as far as that went.
 */
export async function swapIntoPlace(
  steps: readonly RestoreStep[],
  calm: () => Promise<void> | null = () => null,
): Promise<void> {
  await flush(steps);
  await calm();
  const done: RestoreStep[] = [];
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

function put({ to, draft, aside }: RestoreStep): void {
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
function putBack({ to, draft, aside }: RestoreStep): string[] {
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

/** After a power cut a name may be on disk, and what it names not. */
async function flush(steps: readonly RestoreStep[]): Promise<void> {
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
