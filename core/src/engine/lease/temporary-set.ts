import type { Settings } from "../../base/config/settings.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { Lease } from "../../store/lease.js";
import { createSet, sweep, type Swept } from "../create/create.js";
import { Operation } from "../operation.js";
import { removeSet } from "../sets/remove-set.js";
import { completeSet, exposeSet, keepSet } from "../sets/sets.js";
import type { BackupResult, Completed, EngineContext, TransactionResult, Watcher } from "../types.js";
import { listSnapshots } from "../usage/status.js";
import { lossIn, withCurrentUsage } from "../usage/usage.js";
import { whileWatchingUsage } from "../usage/usage-watch.js";

/** A set that lives while its requester works with it. */
export interface TemporarySet {
  readonly set: SnapshotSet;
  /** A program that inherits it prolongs the set's life; null: the service keeps the set. */
  readonly fd: number | null;
  /** The folder of the set's record and the writers' files, as far as this user can read them. */
  readonly folder: string;
  /** Aborted with the reason if the set has ended in another way. */
  readonly lost: AbortSignal;
  expose(): Promise<SnapshotSet>;
  /** Does some work while the space of the set is monitored. */
  whilst<T>(work: () => Promise<T>): Promise<T>;
  /** Asks the providers whether a snapshot was lost meanwhile. null: none was, as far as they could be asked. */
  findLoss(): Promise<Fault | null>;
  complete(result: BackupResult): Promise<Completed>;
  /** The set is removed; or its snapshots are unexposed, and it stays until it is deleted. */
  end(how: "delete" | "keep"): Promise<void>;
}

/** alone: no other process can work with the set meanwhile. shared: others can show, complete, or delete it. */
export type SetAccess = "alone" | "shared";

/** What can take temporary sets: the engine of this process, or that of the service. */
export interface TemporarySets {
  readonly settings: Settings;
  /**
   * Takes a set, and hands it to `use`. If this process dies, the set is removed.
   *
   * @returns `result` is null if there is no set.
   */
  withTemporarySet<T>(
    request: SnapshotRequest,
    access: SetAccess,
    watcher: Watcher,
    use: (temporary: TemporarySet) => Promise<T>,
  ): Promise<{ ended: TransactionResult; result: T | null }>;
}

/** With a lease of the state directory, which ends with this process and those that inherit it. */
export async function withTemporarySet<T>(
  context: EngineContext,
  request: SnapshotRequest,
  access: SetAccess,
  watcher: Watcher,
  use: (temporary: TemporarySet) => Promise<T>,
): Promise<{ ended: TransactionResult; result: T | null }> {
  const { store } = context;
  const swept = await sweep(context, watcher);
  await store.prepare();
  const lease = await store.leases.take();
  let temporary: LocalSet | null = null;
  try {
    const ended = await createSet(context, { ...request, lease: lease.mark }, watcher, { swept });
    if (ended.set === null) return { ended, result: null };
    const local = new LocalSet(context, ended.set, lease, { access, swept, watcher });
    temporary = local;
    const result = await (access === "alone" ? store.journals.withLock(local.set.id, () => use(local)) : use(local));
    return { ended, result };
  } finally {
    if (temporary === null || temporary.isOver) await lease.release();
    else lease.lapse();
  }
}

interface LocalTerms {
  readonly access: SetAccess;
  readonly swept: Swept;
  readonly watcher: Watcher;
}

class LocalSet implements TemporarySet {
  readonly set: SnapshotSet;
  readonly fd: number;
  readonly folder: string;
  readonly lost = new AbortController().signal;
  readonly #context: EngineContext;
  readonly #terms: LocalTerms;
  #isOver = false;

  constructor(context: EngineContext, set: SnapshotSet, { fd }: Lease, terms: LocalTerms) {
    this.set = set;
    this.fd = fd;
    this.folder = context.store.catalog.folder(set.id);
    this.#context = context;
    this.#terms = terms;
  }

  /** It was removed, or has become a set that stays. */
  get isOver(): boolean {
    return this.#isOver;
  }

  whilst<R>(work: () => Promise<R>): Promise<R> {
    const { swept, watcher } = this.#terms;
    return whileWatchingUsage(this.#context, this.set, swept.plugins, watcher, work);
  }

  expose(): Promise<SnapshotSet> {
    return this.#locked(() => this.#work((workers, now) => exposeSet(this.#context, workers, now)));
  }

  async findLoss(): Promise<Fault | null> {
    const { identify } = this.#context.settings.limits;
    const providers = await this.#work((workers) => listSnapshots(workers, identify));
    return lossIn(withCurrentUsage([this.set], providers));
  }

  complete(result: BackupResult): Promise<Completed> {
    return this.#locked(() => this.#work((workers, now) => completeSet(this.#context, workers, now, result)));
  }

  async end(how: "delete" | "keep"): Promise<void> {
    const finish = how === "keep" ? keepSet : removeSet;
    await this.#locked(async () => {
      // Another process may have deleted it meanwhile.
      if (this.#context.store.catalog.has(this.set.id))
        await this.#work((workers, now) => finish(this.#context, workers, now));
    });
    this.#isOver = true;
  }

  /** A set that is used alone is locked from beginning to end. */
  #locked<R>(work: () => Promise<R>): Promise<R> {
    return this.#terms.access === "alone" ? work() : this.#context.store.journals.withLock(this.set.id, work);
  }

  async #work<R>(work: (workers: Operation["workers"], now: SnapshotSet) => Promise<R>): Promise<R> {
    const operation = await Operation.begin(this.#context, this.#terms.swept.plugins);
    try {
      return await work(operation.workers, this.#context.store.catalog.find(this.set.id));
    } finally {
      await operation.close();
    }
  }
}
