import { audit } from "../store/audit.js";
import type { Damaged } from "../store/catalog.js";
import type { Retention, Verdict } from "../store/retention.js";
import type { Settings } from "../base/config/settings.js";
import type { RootLog } from "../base/log/log.js";
import type { Resolution } from "../host/manifest/resolution.js";
import type { Inspection } from "../host/manifest/resolve.js";
import type { Explanation } from "../host/manifest/why.js";
import type { Plan, Request } from "../plan/plan.js";
import type { BackupOutcome } from "../host/contract/writer.js";
import type { AuditLine, Fault, PastTransaction, RequesterMark, Residue, SnapshotSet } from "../base/schema/types.js";
import type { FillWatch } from "./usage/usage-watch.js";
import type { Pins } from "./setup/plugin-lock.js";
import type { Bench, Completed, Ended, Leftover, ProviderStatus, Silent, Watching, WriterStatus } from "./types.js";
import type { Tenancy } from "./lease/leased-set.js";
import type { Lender } from "./lease/temporary-set.js";
import type { Restored, Reverted } from "./restore/restore.js";
import type { RestorePlan } from "./restore/restore-plan.js";
import type { Job, Ran } from "./lease/run-command.js";
import type { Workshop } from "./operation.js";

/**
 * Everything that a backup tool may ask for; the command line is a thin layer over it. Methods throw HoldstillError; `create`
 * does so only when it is refused before anything has begun.
 *
 * What a method needs is imported when it is called: reading the catalog loads neither plugins nor workers.
 */
export class Requester implements Lender {
  readonly settings: Settings;
  readonly log: RootLog | null;
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.settings = bench.settings;
    this.log = bench.log;
    this.#bench = bench;
  }

  /** The same on behalf of somebody else, whom records and the audit name. */
  onBehalfOf(requester: RequesterMark): Requester {
    return new Requester({ ...this.#bench, requester });
  }

  /** Resolves when no transaction of this process holds volumes: then one may write to disk. */
  async calm(): Promise<void> {
    await this.#bench.stillness.calm();
  }

  /** What a transaction would do. Touches nothing. */
  async plan(request: Request, watching: Watching = {}): Promise<Plan> {
    const [{ plan }, { plugins }] = await Promise.all([import("./create/plan.js"), this.#resolution()]);
    return plan(this.#bench, plugins, request, watching);
  }

  /** Takes a snapshot set, or undoes everything. */
  async create(request: Request, watching: Watching = {}): Promise<Ended> {
    const turn = this.#bench.queue.enter(request.targets);
    return turn.whilst(async () => {
      const { create } = await import("./create/create.js");
      return create(this.#bench, request, await this.#swept(watching), watching, turn);
    });
  }

  /** Takes a set that lives while this descriptor, which the process has inherited, is open somewhere. */
  async createLeased(request: Request, fd: number, watching: Watching = {}): Promise<Ended> {
    return (await import("./lease/leased-set.js")).createLeased(
      this.#bench,
      request,
      fd,
      await this.#swept(watching),
      watching,
    );
  }

  /** Takes a set, runs a command with its pictures, tells the writers how it went, and removes the set. */
  async run(request: Request, job: Job, watching: Watching = {}): Promise<Ran> {
    return (await import("./lease/run-command.js")).run(this, request, job, watching);
  }

  /** Takes a set, and removes it as soon as nobody needs it any more, or this process dies. */
  async hold(request: Request, tenancy: Tenancy, watching: Watching = {}): Promise<Ended> {
    return (await import("./lease/leased-set.js")).hold(this, request, tenancy, watching);
  }

  /** Takes a set, and lends it to `use`. */
  readonly lend: Lender["lend"] = async (request, sharing, watching, use) => {
    return (await import("./lease/temporary-set.js")).lend(
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
    return this.#onSet(key, async (crew, set) => (await import("./sets/sets.js")).keep(this.#bench, crew, set), "keep");
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
  async asOfNow(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: Silent[] }> {
    const [{ asOfNow }, providers] = await Promise.all([import("./usage/usage.js"), this.providers()]);
    return { sets: asOfNow(sets, providers), silent: providers.filter((one) => "error" in one) };
  }

  /** Warns in the log, until it is ended, of room that fills up. */
  async watchFill(): Promise<FillWatch> {
    const { watchAll } = await import("./usage/usage-watch.js");
    return watchAll(this.#bench, async () => (await this.#resolution()).plugins);
  }

  /**
   * Makes the set's snapshots readable; `exposed` of the answer says where. With `at`, an empty folder, all pictures are below that
   * at their original paths, too, until the set is concealed.
   */
  expose(key: string, at: string | null = null): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (crew, set) => (await import("./sets/sets.js")).expose(this.#bench, crew, set, at),
      "expose",
    );
  }

  conceal(key: string): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (crew, set) => (await import("./sets/sets.js")).conceal(this.#bench, crew, set),
      "conceal",
    );
  }

  /** Has the writers start their applications on the pictures; `verified` of the answer says what they found. */
  verify(key: string): Promise<SnapshotSet> {
    return this.#onSet(
      key,
      async (crew, set) => (await import("./sets/verify.js")).verify(this.#bench, crew, set),
      "verify",
    );
  }

  /** What a restore would do. Looks only. `to`: below this folder, not over the originals. */
  async planRestore(key: string, names: readonly string[] = [], to: string | null = null): Promise<RestorePlan> {
    return (await import("./restore/restore-plan.js")).planRestore(this.show(key), names, to);
  }

  /** Copies pictures to where the data was, or elsewhere. An interruption before the first takes its place undoes all. */
  async restore(plan: RestorePlan, signal: AbortSignal = new AbortController().signal): Promise<Restored> {
    const { restore } = await import("./restore/restore.js");
    return this.#onSet(plan.set.id, (crew, set) => restore(this.#bench, crew, { ...plan, set }, signal));
  }

  /** Has the providers put the volumes back as they were; what was there before is another set then, where there is room. */
  async revert(key: string): Promise<Reverted> {
    const { revert } = await import("./restore/revert.js");
    return this.#onSet(key, (crew, set) => revert(this.#bench, crew, set));
  }

  /** Removes the set's snapshots and its record. */
  remove(key: string): Promise<SnapshotSet> {
    return this.#onSet(key, async (crew, set) => (await import("./sets/sets.js")).remove(this.#bench, crew, set));
  }

  /** Removes sets, each as far as it goes. */
  async removeAll(ids: readonly string[]): Promise<{ deleted: string[]; failed: { set: string; error: Fault }[] }> {
    const { removeAll } = await import("./sets/remove-all.js");
    return this.#withCrew({}, ({ crew }) => removeAll(this.#bench, crew, ids));
  }

  /** Which sets the rules keep, and which may go; of records that cannot be read nobody knows, so they stay. Looks only. */
  async judge(
    retention: Retention,
    only: (set: SnapshotSet) => boolean = () => true,
  ): Promise<{ verdicts: Verdict[]; damaged: Damaged[] }> {
    const { judge } = await import("../store/retention.js");
    const { sets, damaged } = this.list();
    const meant = sets.filter((set) => only(set));
    return { verdicts: judge(meant, retention, new Date()), damaged };
  }

  /** Lets nobody delete the set before that instant; one that has passed lets everybody. */
  async holdUntil(key: string, until: Date): Promise<SnapshotSet> {
    return (await import("./sets/remove-all.js")).holdUntil(this.#bench, this.show(key).id, until);
  }

  /** Removes a set that outlived its lease, and writes down why. */
  async expire(id: string, why: string): Promise<Residue[]> {
    const { removeExpired } = await import("./lease/expired-sets.js");
    return this.#withCrew({}, ({ crew }) => removeExpired(this.#bench, crew, id, why));
  }

  /** Tells the set's writers how the backup went. */
  complete(key: string, outcome: BackupOutcome): Promise<Completed> {
    return this.#onSet(
      key,
      async (crew, set) => (await import("./sets/sets.js")).complete(this.#bench, crew, set, outcome),
      "complete",
    );
  }

  /** Every transaction that is known of, also those that failed, with the reason. Oldest first. */
  async history(): Promise<PastTransaction[]> {
    return (await import("../store/history.js")).readHistory(this.#bench.state);
  }

  /** What is left of transactions that died, and snapshots that no record names. Looks only. */
  async leftovers(): Promise<Leftover[]> {
    return (await import("./recover/recover.js")).leftovers(this.#bench, await this.providers());
  }

  /** Undoes what `leftovers` found, as far as it goes. */
  async recover(leftovers: readonly Leftover[]): Promise<{ done: Leftover[]; residue: Residue[] }> {
    const { recover } = await import("./recover/recover.js");
    return this.#withCrew({}, ({ crew }) => recover(this.#bench, crew, leftovers));
  }

  /** Asks every writer what it owns. */
  async writers(): Promise<WriterStatus[]> {
    const [{ identifyAll }, { statusOf }] = await Promise.all([
      import("../plan/writers.js"),
      import("./usage/status.js"),
    ]);
    const identified = await this.#withCrew({}, ({ crew }) => identifyAll(crew, this.settings.limits.identify));
    return statusOf(identified, await this.history());
  }

  /** Asks every provider which snapshots exist. */
  async providers(): Promise<ProviderStatus[]> {
    const { listAll } = await import("./usage/status.js");
    return this.#withCrew({}, ({ crew }) => listAll(crew, this.settings.limits.identify));
  }

  /** Every plugin that was found, and why it was or wasn't taken; never fails because of one of them. */
  async plugins(): Promise<Inspection> {
    return (await import("../host/manifest/resolve.js")).inspectPlugins(this.settings);
  }

  /** What decides about one plugin or instance. Throws E_PLUGIN_UNRESOLVED when there is none of that name. */
  async explainPlugin(name: string): Promise<Explanation> {
    return (await import("../host/manifest/why.js")).explainPlugin(name, this.settings);
  }

  /** Pins the plugins that the config takes to what they contain now. */
  async lock(): Promise<Pins> {
    return (await import("./setup/plugin-lock.js")).pin(this.settings);
  }

  /** Throws what is not as the lock file pins it. */
  async checkLock(): Promise<Pins> {
    return (await import("./setup/plugin-lock.js")).checkPins(this.settings);
  }

  /** Without what outlived its requester: an interruption of that is one of what was to come. */
  async #swept(watching: Watching): Promise<Resolution> {
    const [{ sweepExpired }, resolution] = await Promise.all([import("./lease/expired-sets.js"), this.#resolution()]);
    await this.calm();
    await sweepExpired(this.#bench, resolution.plugins, watching);
    return resolution;
  }

  async #resolution(): Promise<Resolution> {
    return (await import("../host/manifest/resolve.js")).resolvePlugins(this.settings);
  }

  async #withCrew<T>(watching: Watching, work: (workshop: Workshop) => Promise<T>): Promise<T> {
    const [{ withCrew }, { plugins }] = await Promise.all([import("./operation.js"), this.#resolution()]);
    return withCrew(this.#bench, plugins, watching, work);
  }

  /** With the set's lock, and its record as it is then: another process may have changed or deleted it meanwhile. */
  async #onSet<T>(
    key: string,
    work: (crew: Workshop["crew"], set: SnapshotSet) => Promise<T>,
    noted?: AuditLine["action"],
  ): Promise<T> {
    const { id } = this.show(key);
    const { withSetLock } = await import("./sets/set-lock.js");
    return withSetLock(this.#bench, id, () =>
      this.#withCrew({}, async ({ crew }) => {
        await this.#bench.stillness.calm();
        const set = this.show(id);
        if (noted !== undefined) audit(this.#bench, noted, set);
        return work(crew, set);
      }),
    );
  }
}
