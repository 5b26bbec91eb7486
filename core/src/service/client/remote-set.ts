import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Catalog } from "../../store/catalog.js";
import { stateDir } from "../../store/state-directory.js";
import type { Settings } from "../../base/config/settings.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { TemporarySet } from "../../engine/lease/temporary-set.js";
import type { BackupResult, Completed, SilentProvider, TransactionResult, Watcher } from "../../engine/types.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { lossIn } from "../../engine/usage/usage.js";

/** The calls that it needs of the service. */
interface LeasedSets {
  readonly settings: Pick<Settings, "stateDir">;
  create(request: SnapshotRequest, watching: Watcher, lease: string): Promise<TransactionResult>;
  attend(set: string, signal: AbortSignal): Promise<never>;
  expose(set: string): Promise<SnapshotSet>;
  complete(set: string, result: BackupResult): Promise<Completed>;
  withUsage(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: SilentProvider[] }>;
  keep(set: string): Promise<SnapshotSet>;
  giveUp(set: string): Promise<void>;
}

/** Time that the set outlives this process: longer than the process may be stopped, or busy. */
const lease = "30s";

/** The service takes the set, and keeps it while a connection of this process is open. */
export async function withRemoteSet<T>(
  service: LeasedSets,
  request: SnapshotRequest,
  watching: Watcher,
  use: (set: TemporarySet) => Promise<T>,
): Promise<{ ended: TransactionResult; result: T | null }> {
  const ended = await service.create(request, watching, lease);
  const { set } = ended;
  if (set === null) return { ended, result: null };
  const { id } = set;
  const attending = new AbortController();
  const lost = new AbortController();
  service.attend(id, attending.signal).catch((error: unknown) => {
    if (!attending.signal.aborted) lost.abort(error);
  });
  const folder = folderOf(service.settings.stateDir, set);
  try {
    const result = await use({
      set,
      fd: null,
      folder: folder.path,
      lost: lost.signal,
      // The service monitors the usage of all its sets.
      whilst: (work) => work(),
      expose: () => service.expose(id),
      findLoss: async () => lossIn((await service.withUsage([set])).sets),
      complete: (outcome) => service.complete(id, outcome),
      async end(how) {
        attending.abort();
        if (how === "keep") await service.keep(id);
        else await service.giveUp(id);
      },
    });
    return { ended, result };
  } finally {
    attending.abort();
    folder.remove();
  }
}

/** Without the right to read root's state, the folder has only the record, and not the files of the writers. */
function folderOf(state: string, set: SnapshotSet): { path: string; remove: () => void } {
  const original = new Catalog(stateDir(state)).folder(set.id);
  if (isReadable(original)) return { path: original, remove: () => undefined };
  const copy = mkdtempSync(path.join(tmpdir(), "holdstill-set-"));
  writeFileSync(path.join(copy, "set.json"), `${JSON.stringify(set, null, 2)}\n`, { mode: 0o600 });
  return { path: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
}

function isReadable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
