import { setTimeout as sleep } from "node:timers/promises";
import type { StateDir } from "../../store/state-directory.js";
import { toFault } from "../../base/errors/error.js";
import type { CoreLog } from "../../base/log/log.js";
import { Lease } from "../../engine/lease/lease.js";
import type { Engine } from "../../engine/engine.js";
import type { Fault, LeaseState, RequesterMark } from "../../base/schema/types.js";

/** How soon an expired set that somebody works on is tried again, ms. */
const retryAfter = 1000;

interface Tenure {
  readonly lease: Lease;
  readonly requester: RequesterMark;
  readonly forMs: number;
  /** How many watch it: while there is one the lease does not run. */
  watchers: number;
  expiresAt: number;
  timer: NodeJS.Timeout | null;
  /** Aborted when it ends. */
  readonly over: AbortController;
}

/**
 * Sets that live no longer than somebody cares for them. Each has a lease of the state directory, which ends with this process: so
 * if the service dies, the next one, or `recover`, finds them expired.
 */
export class Leases {
  readonly #tenures = new Map<string, Tenure>();
  readonly #requester: Engine;
  readonly #state: StateDir;
  readonly #log: CoreLog | null;
  readonly #closing = new AbortController();

  constructor(requester: Engine, state: StateDir, log: CoreLog | null) {
    this.#requester = requester;
    this.#state = state;
    this.#log = log;
  }

  get size(): number {
    return this.#tenures.size;
  }

  /** For a set that is about to be made. */
  take(): Lease {
    return Lease.take(this.#state);
  }

  /** The set is there: from now on the lease runs. */
  begin(set: string, lease: Lease, forMs: number, requester: RequesterMark, watchers: number): void {
    const over = new AbortController();
    const tenure = { lease, requester, forMs, watchers, expiresAt: 0, timer: null, over };
    this.#tenures.set(set, tenure);
    this.#run(set, tenure);
  }

  /** null: the set has no lease here. */
  renew(set: string): LeaseState | null {
    const tenure = this.#tenures.get(set);
    if (tenure === undefined) return null;
    this.#run(set, tenure);
    const { watchers, expiresAt } = tenure;
    return { set, expiresAt: watchers > 0 ? null : new Date(expiresAt).toISOString() };
  }

  /** The set lives while the caller waits. Resolves when it is gone, the time is up, or nobody waits any more. */
  async attend(set: string, limitMs: number, gone: AbortSignal): Promise<void> {
    const tenure = this.#tenures.get(set);
    if (tenure === undefined) return;
    const signal = AbortSignal.any([gone, tenure.over.signal, this.#closing.signal]);
    this.watch(set);
    try {
      await sleep(limitMs, undefined, { signal }).catch(() => undefined);
    } finally {
      this.unwatch(set);
    }
  }

  /** Nobody is let wait any more. */
  dismiss(): void {
    this.#closing.abort();
  }

  watch(set: string): void {
    this.#count(set, 1);
  }

  unwatch(set: string): void {
    this.#count(set, -1);
  }

  /** Ends the set now. @returns Why it is still there. */
  async giveUp(set: string, why: string): Promise<Fault | null> {
    const tenure = this.#tenures.get(set);
    return tenure === undefined ? null : this.#expire(set, tenure, why);
  }

  /** The set is gone by another way, or is to stay. */
  forget(set: string): void {
    const tenure = this.#tenures.get(set);
    if (tenure === undefined) return;
    if (tenure.timer !== null) clearTimeout(tenure.timer);
    this.#tenures.delete(set);
    tenure.over.abort();
    tenure.lease.release();
  }

  /** Ends them all: a lease cannot outlive the process that keeps it. */
  async close(): Promise<void> {
    for (const set of this.#tenures.keys()) await this.giveUp(set, "the service ends");
  }

  #count(set: string, change: 1 | -1): void {
    const tenure = this.#tenures.get(set);
    if (tenure === undefined) return;
    tenure.watchers += change;
    this.#run(set, tenure);
  }

  #run(set: string, tenure: Tenure): void {
    if (tenure.timer !== null) clearTimeout(tenure.timer);
    tenure.expiresAt = Date.now() + tenure.forMs;
    const why = `nobody renewed its lease for ${tenure.forMs / 1000} s`;
    tenure.timer = tenure.watchers > 0 ? null : setTimeout(() => void this.#expire(set, tenure, why), tenure.forMs);
  }

  async #expire(set: string, tenure: Tenure, why: string): Promise<Fault | null> {
    if (tenure.timer !== null) clearTimeout(tenure.timer);
    tenure.timer = null;
    const [left] = await this.#requester
      .onBehalfOf(tenure.requester)
      .expire(set, why)
      .catch((error: unknown) => [{ error: toFault(error) }]);
    // It was kept, or deleted, meanwhile.
    if (this.#tenures.get(set) !== tenure) return null;
    if (left?.error.code === "E_SET_BUSY") {
      tenure.timer = setTimeout(() => void this.#expire(set, tenure, why), retryAfter);
    } else if (left === undefined) {
      this.#log?.info(`set ${set} is removed: ${why}`);
      this.forget(set);
    } else {
      this.#log?.error(`set ${set} has expired (${why}), and could not be removed`, { error: left.error });
      this.#tenures.delete(set);
      tenure.over.abort();
      tenure.lease.lapse();
    }
    return left?.error ?? null;
  }
}
