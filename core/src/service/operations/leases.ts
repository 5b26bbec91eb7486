import { setTimeout as sleep } from "node:timers/promises";
import { toFault } from "../../base/errors/error.js";
import type { CoreLog } from "../../base/log/log.js";
import type { Lease } from "../../store/lease.js";
import type { Engine } from "../../engine/engine.js";
import type { Fault, LeaseState, RequesterMark } from "../../base/schema/types.js";

/** Time until the removal of an expired set that is busy is tried again, ms. */
const retryAfter = 1000;

interface LeaseEntry {
  readonly lease: Lease;
  readonly requester: RequesterMark;
  readonly forMs: number;
  /** Number of readers: while there is one, the lease does not run. */
  watchers: number;
  expiresAt: number;
  timer: NodeJS.Timeout | null;
  /** Aborted when the lease ends. */
  readonly over: AbortController;
}

/**
 * The sets with a lease. Each also has a lease file in the state directory, whose lock ends with this process: if the service dies,
 * the next one, or `recover`, finds them expired.
 */
export class Leases {
  readonly #entries = new Map<string, LeaseEntry>();
  readonly #engine: Engine;
  readonly #log: CoreLog | null;
  readonly #closing = new AbortController();

  constructor(engine: Engine, log: CoreLog | null) {
    this.#engine = engine;
    this.#log = log;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** For a set that will be taken. */
  take(): Promise<Lease> {
    return this.#engine.store.leases.take();
  }

  /** The set exists: from now on the lease runs. */
  begin(set: string, lease: Lease, forMs: number, requester: RequesterMark, watchers: number): void {
    const over = new AbortController();
    const entry = { lease, requester, forMs, watchers, expiresAt: 0, timer: null, over };
    this.#entries.set(set, entry);
    this.#run(set, entry);
  }

  /** null: the set does not have a lease here. */
  renew(set: string): LeaseState | null {
    const entry = this.#entries.get(set);
    if (entry === undefined) return null;
    this.#run(set, entry);
    const { watchers, expiresAt } = entry;
    return { set, expiresAt: watchers > 0 ? null : new Date(expiresAt).toISOString() };
  }

  /** The set lives while the caller waits. Resolves when the set is gone, the time is up, or the caller is gone. */
  async attend(set: string, limitMs: number, gone: AbortSignal): Promise<void> {
    const entry = this.#entries.get(set);
    if (entry === undefined) return;
    const signal = AbortSignal.any([gone, entry.over.signal, this.#closing.signal]);
    this.watch(set);
    try {
      await sleep(limitMs, undefined, { signal }).catch(() => undefined);
    } finally {
      this.unwatch(set);
    }
  }

  /** Ends all calls of `attend`. */
  endAttendance(): void {
    this.#closing.abort();
  }

  watch(set: string): void {
    this.#count(set, 1);
  }

  unwatch(set: string): void {
    this.#count(set, -1);
  }

  /** Removes the set now. @returns Why it could not be removed. */
  async giveUp(set: string, reason: string): Promise<Fault | null> {
    const entry = this.#entries.get(set);
    return entry === undefined ? null : this.#expire(set, entry, reason);
  }

  /** The set was deleted, or stays. */
  async forget(set: string): Promise<void> {
    const entry = this.#entries.get(set);
    if (entry === undefined) return;
    if (entry.timer !== null) clearTimeout(entry.timer);
    this.#entries.delete(set);
    entry.over.abort();
    await entry.lease.release();
  }

  /** Ends them all: a lease cannot outlive its process. */
  async close(): Promise<void> {
    for (const set of this.#entries.keys()) await this.giveUp(set, "the service is stopping");
  }

  #count(set: string, change: 1 | -1): void {
    const entry = this.#entries.get(set);
    if (entry === undefined) return;
    entry.watchers += change;
    this.#run(set, entry);
  }

  #run(set: string, entry: LeaseEntry): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.expiresAt = Date.now() + entry.forMs;
    const reason = `its lease was not renewed for ${entry.forMs / 1000} s`;
    entry.timer = entry.watchers > 0 ? null : setTimeout(() => void this.#expire(set, entry, reason), entry.forMs);
  }

  async #expire(set: string, entry: LeaseEntry, reason: string): Promise<Fault | null> {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = null;
    const [left] = await this.#engine
      .onBehalfOf(entry.requester)
      .expire(set, reason)
      .catch((error: unknown) => [{ error: toFault(error) }]);
    // The set was kept or deleted meanwhile.
    if (this.#entries.get(set) !== entry) return null;
    if (left?.error.code === "E_SET_BUSY") {
      entry.timer = setTimeout(() => void this.#expire(set, entry, reason), retryAfter);
    } else if (left === undefined) {
      this.#log?.info(`set ${set} is removed: ${reason}`);
      await this.forget(set);
    } else {
      this.#log?.error(`set ${set} has expired (${reason}), and could not be removed`, { error: left.error });
      this.#entries.delete(set);
      entry.over.abort();
      entry.lease.lapse();
    }
    return left?.error ?? null;
  }
}
