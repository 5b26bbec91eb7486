import { setTimeout as sleep } from "node:timers/promises";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { ResolvedPlugin } from "../../host/manifest/resolution.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import { FULL_PERCENT } from "./usage.js";
import { listSnapshots } from "./status.js";
import type { EngineContext, ProviderStatus, Watcher } from "../types.js";
import { interruptible, withOperation } from "../operation.js";

/** A room that was warned of is warned of again when it was less full than this meanwhile, percent. */
const roomy = 75;

/** What was warned of, so that each is told once. */
export class UsageWarnings {
  readonly #told = new Set<string>();

  /** What has become worth a warning since the last call. */
  news(sets: readonly SnapshotSet[]): Fault[] {
    return sets.flatMap(({ id: set, snapshots }) =>
      snapshots.flatMap(({ snapshot: { id: snapshot, usage: fill, lost: why } }) => {
        if (why !== undefined)
          return this.#once(`lost ${snapshot}`, new HoldstillError("E_SNAPSHOT_LOST", { set, snapshot, reason: why }));
        if (fill === undefined) return [];
        const { where, percent } = fill;
        if (percent < roomy) this.#told.delete(`full ${where}`);
        if (percent < FULL_PERCENT) return [];
        return this.#once(`full ${where}`, new HoldstillError("E_SPACE_LOW", { set, snapshot, where, percent }));
      }),
    );
  }

  #once(key: string, warning: HoldstillError): Fault[] {
    if (this.#told.has(key)) return [];
    this.#told.add(key);
    return [toFault(warning)];
  }
}

/** What is looked at, by whom, and who is told. */
export interface WatchedSet {
  readonly sets: () => readonly SnapshotSet[];
  readonly plugins: () => Promise<readonly ResolvedPlugin[]>;
  readonly warn: (warning: Fault) => void;
}

/** Looks now and then how full the room of sets is. Sets whose providers do not say are not asked for a second time. */
export class UsageWatch {
  readonly #bench: EngineContext;
  readonly #subject: WatchedSet;
  readonly #stop = new AbortController();
  readonly #warnings = new UsageWarnings();
  /** Ids of sets about which nobody says anything. */
  readonly #silent = new Set<string>();
  readonly #over: Promise<void>;

  constructor(bench: EngineContext, subject: WatchedSet) {
    this.#bench = bench;
    this.#subject = subject;
    this.#over = this.#run();
  }

  /** Ends the watch, also in the middle of a look; resolves when nobody is being asked any more. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { log, settings } = this.#bench;
    while (!signal.aborted) {
      try {
        await sleep(settings.usageIntervalMs, undefined, { signal, ref: false });
        await this.#look();
      } catch (error) {
        if (!signal.aborted) log?.debug("nobody could be asked how full the room is", { error: toFault(error) });
      }
    }
  }

  async #look(): Promise<void> {
    const sets = this.#subject.sets().filter(({ id }) => !this.#silent.has(id));
    if (sets.length === 0) return;
    const { writeGate, settings } = this.#bench;
    await writeGate.pass();
    const asked = new Set(sets.flatMap(({ snapshots }) => snapshots.map(({ by }) => by.instance)));
    const plugins = (await this.#subject.plugins()).filter(({ who }) => asked.has(who.instance));
    // A provider's own word about what is full would come with every look.
    const mute = { ...this.#bench, log: null };
    const answers = await withOperation(mute, plugins, { signal: this.#stop.signal }, (workshop) =>
      interruptible(workshop, () => listSnapshots(workshop.workers, settings.limits.identify)),
    );
    if (this.#stop.signal.aborted) return;
    const now = said(sets, answers);
    if (answers.every((one) => "snapshots" in one))
      for (const { id, snapshots } of now)
        if (!snapshots.some(({ snapshot: { usage: fill, lost } }) => fill !== undefined || lost !== undefined))
          this.#silent.add(id);
    for (const warning of this.#warnings.news(now)) {
      const { code, message, details } = warning;
      this.#bench.log?.warn(message, { code, ...details });
      this.#subject.warn(warning);
    }
  }
}

/** Looks after the room of all sets that there are. Its warnings are in the log. */
export function watchAllSets(bench: EngineContext, plugins: WatchedSet["plugins"]): UsageWatch {
  return new UsageWatch(bench, { sets: () => bench.catalog.list().sets, plugins, warn: () => {} });
}

/** Looks after the room of one set while something goes on. */
export async function whileWatchingUsage<T>(
  bench: EngineContext,
  set: SnapshotSet,
  plugins: readonly ResolvedPlugin[],
  { onWarning: warn = () => {} }: Watcher,
  work: () => Promise<T>,
): Promise<T> {
  const watch = new UsageWatch(bench, { sets: () => [set], plugins: () => Promise.resolve(plugins), warn });
  try {
    return await work();
  } finally {
    await watch.end();
  }
}

const keyOf = (instance: string, snapshot: string): string => `${instance} ${snapshot}`;

/**
 * The sets with what their providers say. A snapshot that its provider does not know is left out, as one that is being deleted; so is
 * one that is on record as gone.
 */
function said(sets: readonly SnapshotSet[], answers: readonly ProviderStatus[]): SnapshotSet[] {
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
