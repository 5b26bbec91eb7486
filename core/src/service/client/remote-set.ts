import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Catalog } from "../../store/catalog.js";
import { stateDir } from "../../store/state-directory.js";
import type { Settings } from "../../base/config/settings.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { TemporarySet } from "../../engine/lease/temporary-set.js";
import type { Completed, TransactionResult, Watcher } from "../../engine/types.js";
import type { SnapshotSet } from "../../base/schema/types.js";

/** What is asked of the service for it. */
interface Keeping {
  readonly settings: Pick<Settings, "stateDir">;
  create(request: SnapshotRequest, watching: Watcher, lease: string): Promise<TransactionResult>;
  attend(set: string, signal: AbortSignal): Promise<never>;
  expose(set: string): Promise<SnapshotSet>;
  complete(set: string, outcome: Parameters<TemporarySet["complete"]>[0]): Promise<Completed>;
  keep(set: string): Promise<SnapshotSet>;
  giveUp(set: string): Promise<void>;
}

/** How long the set outlives this process: longer than it may be stopped, or busy. */
const lease = "30s";

/** The service takes the set, and keeps it while a connection of this process stays open. */
export async function withRemoteSet<T>(
  holdstill: Keeping,
  request: SnapshotRequest,
  watching: Watcher,
  use: (loan: TemporarySet) => Promise<T>,
): Promise<{ ended: TransactionResult; result: T | null }> {
  const ended = await holdstill.create(request, watching, lease);
  const { set } = ended;
  if (set === null) return { ended, result: null };
  const { id } = set;
  const attending = new AbortController();
  const lost = new AbortController();
  holdstill.attend(id, attending.signal).catch((error: unknown) => {
    if (!attending.signal.aborted) lost.abort(error);
  });
  const folder = folderOf(holdstill.settings.stateDir, set);
  try {
    const result = await use({
      set,
      fd: null,
      folder: folder.path,
      lost: lost.signal,
      // The service looks after the room of all its sets.
      whilst: (work) => work(),
      expose: () => holdstill.expose(id),
      complete: (outcome) => holdstill.complete(id, outcome),
      async end(how) {
        attending.abort();
        if (how === "keep") await holdstill.keep(id);
        else await holdstill.giveUp(id);
      },
    });
    return { ended, result };
  } finally {
    attending.abort();
    folder.remove();
  }
}

/** The state is root's. Who may not read it has the record, and not what the writers keep beside it. */
function folderOf(state: string, set: SnapshotSet): { path: string; remove: () => void } {
  const theirs = new Catalog(stateDir(state)).folder(set.id);
  if (isReadable(theirs)) return { path: theirs, remove: () => undefined };
  const own = mkdtempSync(path.join(tmpdir(), "holdstill-set-"));
  writeFileSync(path.join(own, "set.json"), `${JSON.stringify(set, null, 2)}\n`, { mode: 0o600 });
  return { path: own, remove: () => rmSync(own, { recursive: true, force: true }) };
}

function isReadable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
