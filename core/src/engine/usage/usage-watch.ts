import { setTimeout as sleep } from "node:timers/promises";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { ResolvedPlugin } from "../../host/manifest/resolution.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import { FULL_PERCENT } from "./usage.js";
import { listSnapshots } from "./status.js";
import type { EngineContext, ProviderStatus, Watcher } from "../types.js";
import { Operation } from "../operation.js";

/** After a warning, space is warned of again once its usage was below this meanwhile, percent. */
const REARM_PERCENT = 75;

/** What was warned of, so that each warning comes once. */
export class UsageWarnings {
  readonly #given = new Set<string>();

  /** What has become worth a warning since the last call. */
  news(sets: readonly SnapshotSet[]): Fault[] {
    return sets.flatMap(({ id: set, snapshots }) =>
      snapshots.flatMap(({ snapshot: { id: snapshot, usage, lost } }) => {
        if (lost !== undefined)
          return this.#once(`lost ${snapshot}`, new HoldstillError("E_SNAPSHOT_LOST", { set, snapshot, reason: lost }));
        if (usage === undefined) return [];
        const { where, percent } = usage;
        if (percent < REARM_PERCENT) this.#given.delete(`full ${where}`);
        if (percent < FULL_PERCENT) return [];
        return this.#once(`full ${where}`, new HoldstillError("E_SPACE_LOW", { set, snapshot, where, percent }));
      }),
    );
  }

  #once(key: string, warning: HoldstillError): Fault[] {
    if (this.#given.has(key)) return [];
    this.#given.add(key);
    return [toFault(warning)];
  }
}

/** Which sets are watched, by which plugins, and what gets the warnings. */
export interface WatchedSet {
  readonly sets: () => readonly SnapshotSet[];
  readonly plugins: () => Promise<readonly ResolvedPlugin[]>;
  readonly warn: (warning: Fault) => void;
}

/** Checks at intervals how full the space of sets is. Sets whose providers do not report usage are checked once only. */
export class UsageWatch {
  readonly #context: EngineContext;
  readonly #subject: WatchedSet;
  readonly #stop = new AbortController();
  readonly #warnings = new UsageWarnings();
  /** Ids of sets whose providers report no usage. */
  readonly #silent = new Set<string>();
  readonly #over: Promise<void>;

  constructor(context: EngineContext, subject: WatchedSet) {
    this.#context = context;
    this.#subject = subject;
    this.#over = this.#run();
  }

  /** Ends the watch, also in the middle of a check; resolves when no provider is being asked any more. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { log, settings } = this.#context;
    while (!signal.aborted) {
      try {
        await sleep(settings.usageIntervalMs, undefined, { signal, ref: false });
        await this.#check();
      } catch (error) {
        if (!signal.aborted) log?.debug("the usage of snapshots could not be checked", { error: toFault(error) });
      }
    }
  }

  async #check(): Promise<void> {
    const sets = this.#subject.sets().filter(({ id }) => !this.#silent.has(id));
    if (sets.length === 0) return;
    await this.#context.store.gate.pass();
    const asked = new Set(sets.flatMap(({ snapshots }) => snapshots.map(({ by }) => by.instance)));
    const plugins = (await this.#subject.plugins()).filter(({ who }) => asked.has(who.instance));
    const answers = await this.#ask(plugins);
    if (this.#stop.signal.aborted) return;
    const now = asReported(sets, answers);
    if (!answers.some((one) => "error" in one))
      for (const { id, snapshots } of now)
        if (!snapshots.some(({ snapshot: { usage, lost } }) => usage !== undefined || lost !== undefined))
          this.#silent.add(id);
    for (const warning of this.#warnings.news(now)) {
      const { code, message, details } = warning;
      this.#context.log?.warn(message, { code, ...details });
      this.#subject.warn(warning);
    }
  }

  async #ask(plugins: readonly ResolvedPlugin[]): Promise<ProviderStatus[]> {
    const { identify } = this.#context.settings.limits;
    // Without the log: a provider that logs what is full would do so at every check.
    const operation = await Operation.begin({ ...this.#context, log: null }, plugins, { signal: this.#stop.signal });
    try {
      return await operation.interruptible(() => listSnapshots(operation.workers, identify));
    } finally {
      await operation.close();
    }
  }
}

/** Watches the space of all sets. The warnings are in the log. */
export function watchAllSets(context: EngineContext, plugins: WatchedSet["plugins"]): UsageWatch {
  return new UsageWatch(context, { sets: () => context.store.catalog.list().sets, plugins, warn: () => {} });
}

/** Watches the space of one set while some work is done. */
export async function whileWatchingUsage<T>(
  context: EngineContext,
  set: SnapshotSet,
  plugins: readonly ResolvedPlugin[],
  { onWarning: warn = () => {} }: Watcher,
  work: () => Promise<T>,
): Promise<T> {
  const watch = new UsageWatch(context, { sets: () => [set], plugins: () => Promise.resolve(plugins), warn });
  try {
    return await work();
  } finally {
    await watch.end();
  }
}

const keyOf = (instance: string, snapshot: string): string => `${instance} ${snapshot}`;

/**
 * The sets as their providers report them. Leaves out snapshots that their provider does not know, because these are being deleted, and
 * those that are lost by the record.
 */
function asReported(sets: readonly SnapshotSet[], answers: readonly ProviderStatus[]): SnapshotSet[] {
  const known = new Map(
    answers.flatMap((one) =>
      "snapshots" in one
        ? one.snapshots.map((snapshot) => [keyOf(one.who.instance, snapshot.id), snapshot] as const)
        : [],
    ),
  );
  return sets.map((set) => ({
    ...set,
    snapshots: set.snapshots.flatMap(({ by, snapshot: recorded }) => {
      const snapshot = known.get(keyOf(by.instance, recorded.id));
      return snapshot === undefined || recorded.lost !== undefined ? [] : [{ by, snapshot }];
    }),
  }));
}
