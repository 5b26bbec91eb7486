import { audit } from "../store/audit.js";
import type { Damaged } from "../store/catalog.js";
import type { Retention, RetentionVerdict } from "../store/retention.js";
import type { Settings } from "../base/config/settings.js";
import type { RootLog } from "../base/log/log.js";
import type { Resolution } from "../host/manifest/resolution.js";
import type { Inspection } from "../host/manifest/resolve.js";
import type { Plan, SnapshotRequest } from "../plan/plan.js";
import type { BackupOutcome } from "../host/contract/writer.js";
import type {
  AuditLine,
  Fault,
  PastTransaction,
  PluginExplanation,
  PluginPins,
  RequesterMark,
  Residue,
  SnapshotSet,
} from "../base/schema/types.js";
import type { UsageWatch } from "./usage/usage-watch.js";
import type {
  EngineContext,
  Completed,
  TransactionResult,
  Leftover,
  ProviderStatus,
  SilentProvider,
  Watcher,
  WriterStatus,
} from "./types.js";
import type { LeaseTerms } from "./lease/leased-set.js";
import type { TemporarySets } from "./lease/temporary-set.js";
import type { Restored, Reverted } from "./restore/restore.js";
import type { RestorePlan } from "./restore/restore-plan.js";
import type { RunJob, RunResult } from "./lease/run-command.js";
import type { Operation } from "./operation.js";

/**
 * Everything that a backup tool may ask for; the command line is a thin layer over it. Methods throw HoldstillError; `create`
 * does so only when it is refused before anything has begun.
 *
 * What a method needs is imported when it is called: reading the catalog loads neither plugins nor workers.
 */
export class Engine implements TemporarySets {
  readonly settings: Settings;
  readonly log: RootLog | null;
  readonly #bench: EngineContext;

  constructor(bench: EngineContext) {
    this.settings = bench.settings;
    this.log = bench.log;
    this.#bench = bench;
  }

  /** The same on behalf of somebody else, whom records and the audit name. */
  onBehalfOf(requester: RequesterMark): Engine {
    return new Engine({ ...this.#bench, requester });
  }

  /** Resolves when no transaction of this process holds volumes: then one may write to disk. */
  async writable(): Promise<void> {
    await this.#bench.writeGate.pass();
  }

  /** What a transaction would do. Touches nothing. */
  async plan(request: SnapshotRequest, watching: Watcher = {}): Promise<Plan> {
    const [{ planSet: plan }, { plugins }] = await Promise.all([import("./create/plan.js"), this.#resolution()]);
    return plan(this.#bench, plugins, request, watching);
  }

  /** Takes a snapshot set, or undoes everything. */
  async create(request: SnapshotRequest, watching: Watcher = {}): Promise<TransactionResult> {
    const turn = this.#bench.queue.enter(request.targets);
    return turn.whilst(async () => {
      const { createSet: create } = await import("./create/create.js");
      return create(this.#bench, request, await this.#swept(watching), watching, turn);
    });
  }

  /** Takes a set that lives while this descriptor, which the process has inherited, is open somewhere. */
  async createLeased(request: SnapshotRequest, fd: number, watching: Watcher = {}): Promise<TransactionResult> {
    return (await import("./lease/leased-set.js")).createLeased(
      this.#bench,
      request,
      fd,
      await this.#swept(watching),
      watching,
    );
  }

  /** Takes a set, runs a command with its snapshots, tells the writers how it went, and removes the set. */
  async run(request: SnapshotRequest, job: RunJob, watching: Watcher = {}): Promise<RunResult> {
    return (await import("./lease/run-command.js")).runWithSet(this, request, job, watching);
  }

  /** Takes a set, and removes it as soon as nobody needs it any more, or this process dies. */
  async hold(request: SnapshotRequest, tenancy: LeaseTerms, watching: Watcher = {}): Promise<TransactionResult> {
    return (await import("./lease/leased-set.js")).holdLease(this, request, tenancy, watching);
  }

  /** Takes a set, and lends it to `use`. */
  readonly withTemporarySet: TemporarySets["withTemporarySet"] = async (request, sharing, watching, use) => {
    return (await import("./lease/temporary-set.js")).withTemporarySet(
      this.#bench,
      await this.#swept(watching),
      request,
      sharing,
      watching,
      use,
    );
  };

  /** The set stays, though it was to go with its lease. */
  keep(key: string): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (workers, set) => (await import("./sets/sets.js")).keepSet(this.#bench, workers, set),
      "keep",
    );
  }

  /** Oldest first; records that cannot be read are reported beside them. */
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } {
    return this.#bench.catalog.list();
  }

  /** @param key A set's id or the beginning of it, its name, or `latest`. */
  show(key: string): SnapshotSet {
    return this.#bench.catalog.find(key);
  }

  /** The sets with how full the room of each snapshot is, and which is lost; and the providers that did not say. */
  async withUsage(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: SilentProvider[] }> {
    const [{ withCurrentUsage: asOfNow }, providers] = await Promise.all([
      import("./usage/usage.js"),
      this.providers(),
    ]);
    return { sets: asOfNow(sets, providers), silent: providers.filter((one) => "error" in one) };
  }

  /** Warns in the log, until it is ended, of room that fills up. */
  async watchUsage(): Promise<UsageWatch> {
    const { watchAllSets: watchAll } = await import("./usage/usage-watch.js");
    return watchAll(this.#bench, async () => (await this.#resolution()).plugins);
  }

  /**
   * Makes the set's snapshots readable; `exposed` of the answer says where. With `at`, an empty folder, all snapshots are below that
   * at their original paths, too, until the set is unexposed.
   */
  expose(key: string, at: string | null = null): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (workers, set) => (await import("./sets/sets.js")).exposeSet(this.#bench, workers, set, at),
      "expose",
    );
  }

  unexpose(key: string): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (workers, set) => (await import("./sets/sets.js")).unexposeSet(this.#bench, workers, set),
      "unexpose",
    );
  }

  /** Has the writers start their applications on the snapshots; `verified` of the answer says what they found. */
  verify(key: string): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (workers, set) => (await import("./sets/verify.js")).verifySet(this.#bench, workers, set),
      "verify",
    );
  }

  /** What a restore would do. Looks only. `to`: below this folder, not over the originals. */
  async planRestore(key: string, names: readonly string[] = [], to: string | null = null): Promise<RestorePlan> {
    return (await import("./restore/restore-plan.js")).planRestore(this.show(key), names, to);
  }

  /** Copies snapshots to where the data was, or elsewhere. An interruption before the first takes its place undoes all. */
  async restore(plan: RestorePlan, signal: AbortSignal = new AbortController().signal): Promise<Restored> {
    const { restoreSet: restore } = await import("./restore/restore.js");
    return this.#onSet(plan.set.id, (workers, set) => restore(this.#bench, workers, { ...plan, set }, signal));
  }

  /** Has the providers put the volumes back as they were; what was there before is another set then, where there is room. */
  async revert(key: string): Promise<Reverted> {
    const { revertSet: revert } = await import("./restore/revert.js");
    return this.#onSet(key, (workers, set) => revert(this.#bench, workers, set));
  }

  /** Removes the set's snapshots and its record. */
  remove(key: string): Promise<SnapshotSet> {
    return this.#onSet(key, async (workers, set) =>
      (await import("./sets/sets.js")).removeSet(this.#bench, workers, set),
    );
  }

  /** Removes sets, each as far as it goes. */
  async removeAll(ids: readonly string[]): Promise<{ deleted: string[]; failed: { set: string; error: Fault }[] }> {
    const { removeSets: removeAll } = await import("./sets/remove-all.js");
    return this.#withCrew({}, ({ workers }) => removeAll(this.#bench, workers, ids));
  }

  /** Which sets the rules keep, and which may go; of records that cannot be read nobody knows, so they stay. Looks only. */
  async judge(
    retention: Retention,
    only: (set: SnapshotSet) => boolean = () => true,
  ): Promise<{ verdicts: RetentionVerdict[]; damaged: Damaged[] }> {
    const { judgeRetention: judge } = await import("../store/retention.js");
    const { sets, damaged } = this.list();
    const meant = sets.filter((set) => only(set));
    return { verdicts: judge(meant, retention, new Date()), damaged };
  }

  /** Lets nobody delete the set before that instant; one that has passed lets everybody. */
  async retain(key: string, until: Date): Promise<SnapshotSet> {
    return (await import("./sets/remove-all.js")).retainSet(this.#bench, this.show(key).id, until);
  }

  /** Removes a set that outlived its lease, and writes down why. */
  async expire(id: string, why: string): Promise<Residue[]> {
    const { removeExpired } = await import("./lease/expired-sets.js");
    return this.#withCrew({}, ({ workers }) => removeExpired(this.#bench, workers, id, why));
  }

  /** Tells the set's writers how the backup went. */
  complete(key: string, outcome: BackupOutcome): Promise<Completed> {
    return this.#onSet(
      key,
      async (workers, set) => (await import("./sets/sets.js")).completeSet(this.#bench, workers, set, outcome),
      "complete",
    );
  }

  /** Every transaction that is known of, also those that failed, with the reason. Oldest first. */
  async history(): Promise<PastTransaction[]> {
    return (await import("../store/history.js")).readHistory(this.#bench.state);
  }

  /** What is left of transactions that died, and snapshots that no record names. Looks only. */
  async leftovers(): Promise<Leftover[]> {
    return (await import("./recover/recover.js")).findLeftovers(this.#bench, await this.providers());
  }

  /** Undoes what `leftovers` found, as far as it goes. */
  async recover(leftovers: readonly Leftover[]): Promise<{ done: Leftover[]; residue: Residue[] }> {
    const { recoverAll: recover } = await import("./recover/recover.js");
    return this.#withCrew({}, ({ workers }) => recover(this.#bench, workers, leftovers));
  }

  /** Asks every writer what it owns. */
  async writers(): Promise<WriterStatus[]> {
    const [{ identifyAll }, { writerStatuses: statusOf }] = await Promise.all([
      import("../plan/writers.js"),
      import("./usage/status.js"),
    ]);
    const { identified, plugins } = await this.#withCrew({}, async ({ workers }) => ({
      identified: await identifyAll(workers, this.settings.limits.identify),
      plugins: [...workers.plugins.values()],
    }));
    return statusOf(identified, await this.history(), plugins);
  }

  /** Asks every provider which snapshots exist. */
  async providers(): Promise<ProviderStatus[]> {
    const { listSnapshots: listAll } = await import("./usage/status.js");
    return this.#withCrew({}, ({ workers }) => listAll(workers, this.settings.limits.identify));
  }

  /** Every plugin that was found, and why it was or wasn't taken; never fails because of one of them. */
  async plugins(): Promise<Inspection> {
    return (await import("../host/manifest/resolve.js")).inspectPlugins(this.settings);
  }

  /** What decides about one plugin or instance. Throws E_PLUGIN_UNRESOLVED when there is none of that name. */
  async explainPlugin(name: string): Promise<PluginExplanation> {
    return (await import("../host/manifest/why.js")).explainPlugin(name, this.settings);
  }

  /** Pins the plugins that the config takes to what they contain now. */
  async lock(): Promise<PluginPins> {
    return (await import("./setup/plugin-lock.js")).lockPlugins(this.settings);
  }

  /** Throws what is not as the lock file pins it. */
  async checkLock(): Promise<PluginPins> {
    return (await import("./setup/plugin-lock.js")).checkPluginLock(this.settings);
  }

  /** Without what outlived its requester: an interruption of that is one of what was to come. */
  async #swept(watching: Watcher): Promise<Resolution> {
    const [{ sweepExpired }, resolution] = await Promise.all([import("./lease/expired-sets.js"), this.#resolution()]);
    await this.writable();
    await sweepExpired(this.#bench, resolution.plugins, watching);
    return resolution;
  }

  async #resolution(): Promise<Resolution> {
    return (await import("../host/manifest/resolve.js")).resolvePlugins(this.settings);
  }

  async #withCrew<T>(watching: Watcher, work: (workshop: Operation) => Promise<T>): Promise<T> {
    const [{ withOperation: withCrew }, { plugins }] = await Promise.all([
      import("./operation.js"),
      this.#resolution(),
    ]);
    return withCrew(this.#bench, plugins, watching, work);
  }

  /** With the set's lock, and its record as it is then: another process may have changed or deleted it meanwhile. */
  async #onSet<T>(
    key: string,
    work: (workers: Operation["workers"], set: SnapshotSet) => Promise<T>,
    noted?: AuditLine["action"],
  ): Promise<T> {
    const { id } = this.show(key);
    const { withSetLock } = await import("./sets/set-lock.js");
    return withSetLock(this.#bench, id, () =>
      this.#withCrew({}, async ({ workers }) => {
        await this.#bench.writeGate.pass();
        const set = this.show(id);
        if (noted !== undefined) audit(this.#bench, noted, set);
        return work(workers, set);
      }),
    );
  }
}
