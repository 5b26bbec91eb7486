import { makeStateDir } from "../../store/state-directory.js";
import type { Settings } from "../../base/config/settings.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { createSet } from "../create/create.js";
import { whileWatchingUsage } from "../usage/usage-watch.js";
import { Lease } from "../../store/lease.js";
import { withSetLock } from "../sets/set-lock.js";
import { completeSet, exposeSet, keepSet, removeSet } from "../sets/sets.js";
import type { EngineContext, Completed, TransactionResult, Watcher } from "../types.js";
import { withOperation, type Operation } from "../operation.js";

/** A set that lives while somebody works with it. */
export interface TemporarySet {
  readonly set: SnapshotSet;
  /** Prolongs the set's life for a program that inherits it; null: whoever took the set sees to that. */
  readonly fd: number | null;
  /** The folder of the set's record and the writers' files, as far as one may read them. */
  readonly folder: string;
  /** Aborted when the set has ended by another way, with the reason. */
  readonly lost: AbortSignal;
  expose(): Promise<SnapshotSet>;
  /** Does some work while the room of the set is looked after. */
  whilst<T>(work: () => Promise<T>): Promise<T>;
  complete(outcome: BackupOutcome): Promise<Completed>;
  /** The set goes now; or its snapshots are unexposed, and it stays until it is deleted. */
  end(how: "delete" | "keep"): Promise<void>;
}

/** alone: nobody else may work with the set meanwhile. shared: others may show, complete or delete it. */
export type SetAccess = "alone" | "shared";

/** Takes sets and lends them: the engine here, or the one of the service. */
export interface TemporarySets {
  readonly settings: Settings;
  /**
   * Takes a set, and lends it. If this process dies, the set goes.
   *
   * @returns `result` is null where there is no set.
   */
  withTemporarySet<T>(
    request: SnapshotRequest,
    sharing: SetAccess,
    watching: Watcher,
    use: (loan: TemporarySet) => Promise<T>,
  ): Promise<{ ended: TransactionResult; result: T | null }>;
}

/** The engine's own way: with a lease of the state directory, which the kernel ends with this process and those who inherit it. */
export async function withTemporarySet<T>(
  bench: EngineContext,
  resolution: Pick<Resolution, "plugins" | "warnings">,
  request: SnapshotRequest,
  sharing: SetAccess,
  watching: Watcher,
  use: (loan: TemporarySet) => Promise<T>,
): Promise<{ ended: TransactionResult; result: T | null }> {
  makeStateDir(bench.state);
  const lease = Lease.take(bench.state);
  let end: "release" | "lapse" = "release";
  try {
    const ended = await createSet(bench, { ...request, lease: lease.mark }, resolution, watching);
    const { set } = ended;
    if (set === null) return { ended, result: null };
    end = "lapse";
    const { id } = set;
    const work = <R>(does: (workers: Operation["workers"], now: SnapshotSet) => Promise<R>): Promise<R> =>
      withOperation(bench, resolution.plugins, {}, ({ workers }) => does(workers, bench.catalog.find(id)));
    const locked = <R>(does: () => Promise<R>): Promise<R> => withSetLock(bench, id, does);
    const each: typeof locked = sharing === "alone" ? (does) => does() : locked;
    const loan: TemporarySet = {
      set,
      fd: lease.fd,
      folder: bench.catalog.folder(id),
      lost: new AbortController().signal,
      whilst: (job) => whileWatchingUsage(bench, set, resolution.plugins, watching, job),
      expose: () => each(() => work((workers, now) => exposeSet(bench, workers, now))),
      complete: (outcome) => each(() => work((workers, now) => completeSet(bench, workers, now, outcome))),
      async end(how) {
        // Somebody may have deleted it meanwhile.
        await each(async () => {
          if (bench.catalog.has(id))
            await work((workers, now) => (how === "keep" ? keepSet : removeSet)(bench, workers, now));
        });
        end = "release";
      },
    };
    return { ended, result: await (sharing === "alone" ? locked(() => use(loan)) : use(loan)) };
  } finally {
    lease[end]();
  }
}
