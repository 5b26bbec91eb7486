import type { Writable } from "node:stream";
import type {
  AuditLine,
  DiffDocument,
  ProviderCapabilities,
  RequesterMark,
  Residue,
  RestoreContents,
  RestorePlan,
  Restored,
  SnapshotSet,
} from "../base/schema/types.js";
import { type Inspection, inspectPlugins, resolvePlugins } from "../host/manifest/resolve.js";
import type { SnapshotRequest } from "../plan/plan.js";
import { identifyAll } from "../plan/writers.js";
import type { Store } from "../store/store.js";
import type { EngineApi, Removal } from "./api.js";
import { openContext } from "./context.js";
import type { Agent } from "./cluster/agent.js";
import { CreatingEngine, engineContext } from "./creating-engine.js";
import { removeExpired } from "./lease/expired-sets.js";
import { holdLease, type LeaseTerms } from "./lease/leased-set.js";
import { type RunJob, type RunResult, runWithSet } from "./lease/run-command.js";
import { type SetAccess, type TemporarySet, type TemporarySets, withTemporarySet } from "./lease/temporary-set.js";
import { Operation } from "./operation.js";
import { findLeftovers, recoverAll } from "./recover/recover.js";
import { planRestore } from "./restore/restore-plan.js";
import { readyWriters, restoreSet, type Reverted } from "./restore/restore.js";
import { finishRevert, revertSet } from "./restore/revert.js";
import { diffSets } from "./sets/diff-sets.js";
import { type RecordOfUnremoved, removeSets } from "./sets/remove-all.js";
import { removeSet } from "./sets/remove-set.js";
import { repairSet } from "./sets/repair-set.js";
import { completeSet, exposeSet, keepSet, unexposeSet } from "./sets/sets.js";
import { verifySet } from "./sets/verify.js";
import type {
  BackupResult,
  Completed,
  EngineContext,
  Leftover,
  OpenOptions,
  ProviderStatus,
  SilentProvider,
  TransactionResult,
  Watcher,
  WriterStatus,
} from "./types.js";
import { exportSet } from "./transport/export-set.js";
import { type ImportSource, importSet } from "./transport/import-set.js";
import { providerCapabilities } from "./setup/capabilities.js";
import { listSnapshots, writerStatuses } from "./usage/status.js";
import { type UsageWatch, watchAllSets } from "./usage/usage-watch.js";
import { withCurrentUsage } from "./usage/usage.js";

/** Reads the config. Loads everything, and plugins when they are needed. @throws HoldstillError E_CONFIG_* */
export async function openEngine(options: OpenOptions = {}): Promise<Engine> {
  return new Engine(engineContext(await openContext(options)));
}

/**
 * Everything that a backup tool can ask for; the command line is a thin layer over it. Methods throw HoldstillError; `create` only if
 * it is refused before anything has begun.
 */
export class Engine extends CreatingEngine implements EngineApi, TemporarySets {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    super(context);
    this.#context = context;
  }

  /** The same engine on behalf of another user, whom records and the audit name. */
  onBehalfOf(requester: RequesterMark): Engine {
    return new Engine({ ...this.#context, requester });
  }

  /** Resolves when no transaction of this process holds volumes: then files can be read and written without waiting for it. */
  async writable(): Promise<void> {
    await this.#context.store.gate.pass();
  }

  /** Where this engine writes. */
  get store(): Store {
    return this.#context.store;
  }

  /** Takes a set, runs a command with its snapshots, notifies the writers of the result, and removes the set. */
  run(request: SnapshotRequest, job: RunJob, watcher: Watcher = {}): Promise<RunResult> {
    return runWithSet(this, request, job, watcher);
  }

  /** Takes a set, and removes it as soon as it is no longer needed, or this process dies. */
  hold(request: SnapshotRequest, terms: LeaseTerms, watcher: Watcher = {}): Promise<TransactionResult> {
    return holdLease(this, request, terms, watcher);
  }

  /** Takes a set, and hands it to `use`. */
  withTemporarySet<T>(
    request: SnapshotRequest,
    access: SetAccess,
    watcher: Watcher,
    use: (temporary: TemporarySet) => Promise<T>,
  ): Promise<{ ended: TransactionResult; result: T | null }> {
    return withTemporarySet(this.#context, request, access, watcher, use);
  }

  /** The set stays when its lease ends. */
  keep(key: string): Promise<SnapshotSet> {
    return this.#onSet(key, ({ workers }, set) => keepSet(this.#context, workers, set), "keep");
  }

  /** The sets with the usage of each snapshot's space, and the snapshots that are lost; and the providers that could not be asked. */
  async withUsage(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: SilentProvider[] }> {
    const providers = await this.providers();
    return { sets: withCurrentUsage(sets, providers), silent: providers.filter((one) => "error" in one) };
  }

  /** Takes part in the sets that other hosts ask for. null: the config has no cluster. @throws HoldstillError E_CLUSTER_REFUSED */
  async joinCluster(): Promise<Agent | null> {
    const { cluster } = this.settings;
    if (cluster === null) return null;
    const { startAgent } = await import("./cluster/agent.js");
    return startAgent(this.#context, cluster);
  }

  /** Warns in the log, until it is ended, of space that fills up. */
  watchUsage(): UsageWatch {
    return watchAllSets(this.#context, async () => (await resolvePlugins(this.settings)).plugins);
  }

  /**
   * Makes the set's snapshots readable; `exposed` of the result contains where. With `at`, an empty folder, all snapshots are also
   * mounted below it at their original paths, until the set is unexposed.
   */
  expose(key: string, at: string | null = null): Promise<SnapshotSet> {
    return this.#onSet(key, ({ workers }, set) => exposeSet(this.#context, workers, set, at), "expose");
  }

  unexpose(key: string): Promise<SnapshotSet> {
    return this.#onSet(key, ({ workers }, set) => unexposeSet(this.#context, workers, set), "unexpose");
  }

  /** The writers start their applications on the snapshots; `verified` of the result contains what they found. */
  verify(key: string): Promise<SnapshotSet> {
    return this.#onSet(key, ({ workers }, set) => verifySet(this.#context, workers, set), "verify");
  }

  /** The writers repair forks of the snapshots, if that was put off or has failed. The record has what became of it. */
  repair(key: string, signal?: AbortSignal): Promise<SnapshotSet> {
    const watcher = signal === undefined ? {} : { signal };
    return this.#onSet(key, (operation, set) => repairSet(this.#context, operation, set), "repair", watcher);
  }

  /** Which parts of each volume changed from one set to another. Changes nothing. */
  diff(from: string, to: string): Promise<DiffDocument> {
    const { id } = this.show(from);
    // Neither is deleted meanwhile.
    return this.#onSet(
      to,
      ({ workers }, newer) => {
        const compare = (): Promise<DiffDocument> => diffSets(this.#context, workers, this.show(id), newer);
        return id === newer.id ? compare() : this.#context.store.journals.withLock(id, compare);
      },
      null,
    );
  }

  /** Writes the set for another host. The output is whole only if this returns. @returns Its digest, SHA-256. */
  export(key: string, output: Writable, signal: AbortSignal): Promise<string> {
    return this.#onSet(key, ({ workers }, set) => exportSet(this.#context, workers, set, output, signal), "export");
  }

  /** Makes a set of another host one of this host, and repairs it. */
  import(source: ImportSource, signal: AbortSignal): Promise<SnapshotSet> {
    return this.#operate((operation) => importSet(this.#context, operation, source), { signal });
  }

  /** What a restore would do. Changes nothing. `to`: below this folder, instead of over the originals. */
  planRestore(
    key: string,
    names: readonly string[] = [],
    to: string | null = null,
    contents: RestoreContents = "repaired",
  ): RestorePlan {
    return planRestore(this.show(key), names, to, contents);
  }

  /** Asks the writers of a restore in place whether their applications are down. @throws what `restore` would throw */
  async checkRestore(plan: RestorePlan): Promise<void> {
    if (plan.where === "elsewhere" || plan.writers.length === 0) return;
    await this.#onSet(
      plan.set.id,
      async ({ workers }) => void (await readyWriters(this.#context, workers, plan)),
      null,
    );
  }

  /** Copies snapshots to where the data was, or elsewhere. An interruption before the first copy takes its place undoes all. */
  restore(plan: RestorePlan, signal?: AbortSignal): Promise<Restored> {
    const watcher = signal === undefined ? {} : { signal };
    return this.#onSet(
      plan.set.id,
      (operation, set) => restoreSet(this.#context, operation, { ...plan, set }),
      null,
      watcher,
    );
  }

  /** The providers put the volumes back as they were; what was there before is then another set, if there is space. */
  revert(key: string): Promise<Reverted> {
    return this.#onSet(key, ({ workers }, set) => revertSet(this.#context, workers, set), null);
  }

  /** The writers finish what a revert has put back, once it is mounted. */
  finishRevert(key: string): Promise<Restored> {
    return this.#onSet(key, ({ workers }, set) => finishRevert(this.#context, workers, set), null);
  }

  /** Removes the set's snapshots and its record. The result has the snapshots that could not be seen, and may still exist. */
  remove(key: string): Promise<SnapshotSet> {
    return this.#onSet(key, ({ workers }, set) => removeSet(this.#context, workers, set), null);
  }

  /** Removes sets, each as far as possible. */
  removeAll(ids: readonly string[], record?: RecordOfUnremoved): Promise<Removal> {
    return this.#operate(({ workers }) => removeSets(this.#context, workers, ids, record));
  }

  /** Removes a set that outlived its lease, and writes down why. */
  expire(id: string, reason: string): Promise<Residue[]> {
    return this.#operate(({ workers }) => removeExpired(this.#context, workers, id, reason));
  }

  /** Notifies the set's writers of the backup's result. */
  complete(key: string, result: BackupResult): Promise<Completed> {
    return this.#onSet(key, ({ workers }, set) => completeSet(this.#context, workers, set, result), "complete");
  }

  /** What is left of transactions that died, and snapshots that no record names. Changes nothing. */
  async leftovers(): Promise<Leftover[]> {
    return findLeftovers(this.#context, await this.providers());
  }

  /** Undoes what `leftovers` found, as far as possible. */
  recover(leftovers: readonly Leftover[]): Promise<{ done: Leftover[]; residue: Residue[] }> {
    return this.#operate(({ workers }) => recoverAll(this.#context, workers, leftovers));
  }

  /** Asks every writer what it owns. */
  async writers(): Promise<WriterStatus[]> {
    return this.#operate(async ({ workers }) => {
      const identified = await identifyAll(workers, this.settings.limits.identify);
      return writerStatuses(identified, this.history(), [...workers.plugins.values()]);
    });
  }

  /** Asks every provider which snapshots exist. */
  providers(): Promise<ProviderStatus[]> {
    return this.#operate(({ workers }) => listSnapshots(workers, this.settings.limits.identify));
  }

  /** Asks every provider what it can do for the mounted file systems. */
  capabilities(): Promise<ProviderCapabilities[]> {
    return this.#operate(({ workers }) => providerCapabilities(workers, this.settings.limits.identify));
  }

  /** Every plugin that was found, and why it was or was not taken. A plugin with an error does not make this fail. */
  plugins(): Promise<Inspection> {
    return inspectPlugins(this.settings);
  }

  async #operate<T>(work: (operation: Operation) => Promise<T>, watcher: Watcher = {}): Promise<T> {
    const { plugins } = await resolvePlugins(this.settings);
    const operation = await Operation.begin(this.#context, plugins, watcher);
    try {
      return await work(operation);
    } finally {
      await operation.close();
    }
  }

  /** With the set's lock, and its record as it is then: another process may have changed or deleted it meanwhile. */
  async #onSet<T>(
    key: string,
    work: (operation: Operation, set: SnapshotSet) => Promise<T>,
    noted: AuditLine["action"] | null,
    watcher: Watcher = {},
  ): Promise<T> {
    const { id } = this.show(key);
    const { journals, audit } = this.#context.store;
    return journals.withLock(id, () =>
      this.#operate(async (operation) => {
        const set = this.show(id);
        if (noted !== null) await audit.note(this.#context.requester, noted, set);
        return work(operation, set);
      }, watcher),
    );
  }
}
