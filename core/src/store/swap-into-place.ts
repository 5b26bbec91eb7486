import { closeSync, openSync } from "node:fs";
import { HoldstillError, toFault } from "../base/errors/error.js";
import { syncfs } from "../os/libc.js";
import type { PendingCopy } from "./restore-draft.js";
import { WriteGate } from "./write-gate.js";

/**
 * Puts every copy in its place, when all of them are on disk. Each path has complete contents at every moment, even if this process is
 * killed: the copy and what was there exchange their names in one step.
 *
 * @throws HoldstillError E_RESTORE after everything was put back, as far as possible.
 */
export async function swapIntoPlace(drafts: readonly PendingCopy[], gate = new WriteGate()): Promise<void> {
  for (const draft of drafts) await flush(draft);
  await gate.write(() => putAll(drafts));
}

function putAll(drafts: readonly PendingCopy[]): void {
  const done: PendingCopy[] = [];
  for (const draft of drafts) {
    try {
      put(draft);
    } catch (error) {
      const left = done.toReversed().flatMap((one) => putBack(one));
      throw refusal(draft.step.to, toFault(error).message, left);
    }
    done.push(draft);
  }
  for (const { parent } of drafts) parent.sync();
}

function put(draft: PendingCopy): void {
  const { folder, parent, name, place } = draft;
  const copy = draft.copied();
  const aside = asideOf(draft);
  if (aside === null) return folder.renameTo(name, parent, place, "new", copy);
  folder.renameTo(name, parent, aside, "new", copy);
  try {
    parent.renameTo(aside, parent, place, "swap", copy);
  } catch (error) {
    parent.renameTo(aside, folder, name, "new", copy);
    throw error;
  }
}

/** @returns The places that could not be put back. */
function putBack(draft: PendingCopy): string[] {
  const { folder, parent, name, place } = draft;
  const aside = asideOf(draft);
  try {
    if (aside === null) parent.renameTo(place, folder, name, "new");
    else {
      parent.renameTo(aside, parent, place, "swap");
      parent.renameTo(aside, folder, name, "new");
    }
    return [];
  } catch {
    return [draft.step.to];
  }
}

const asideOf = ({ step: { aside } }: PendingCopy): string | null =>
  aside === null ? null : aside.slice(aside.lastIndexOf("/") + 1);

/** After a power cut a name may be on disk, and its contents not. */
async function flush({ folder, step: { to } }: PendingCopy): Promise<void> {
  const fd = openSync(folder.procPath, "r");
  try {
    const errno = await syncfs(fd);
    if (errno !== 0) throw refusal(to, `its file system could not be written to disk, errno ${errno}`, []);
  } finally {
    closeSync(fd);
  }
}

function refusal(to: string, reason: string, left: readonly string[]): HoldstillError {
  const kept = left.length === 0 ? "Everything was put back" : `Not put back: ${left.join(", ")}; the rest was`;
  return new HoldstillError("E_RESTORE", { path: to, reason, remedy: `${kept}. Restore with --to, and copy.` });
}
