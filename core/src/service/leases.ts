import type { StateDir } from "../catalog/state.js";
import { toFault } from "../errors/error.js";
import type { Log } from "../log/log.js";
import { Lease } from "../requester/lease.js";
import type { Requester } from "../requester/requester.js";
import type { LeaseState, RequesterMark } from "../schema/types.js";

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
}

/**
 * Sets that live no longer than somebody cares for them. Each has a lease of the state directory, which ends with this process: so
 * if the service dies, the next one, or `recover`, finds them expired.
 */
export class Leases {
  readonly #tenures = new Map<string, Tenure>();
  readonly #requester: Requester;
  readonly #state: StateDir;
  readonly #log: Log | null;

  constructor(requester: Requester, state: StateDir, log: Log | null) {
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
    const tenure = { lease, requester, forMs, watchers, expiresAt: 0, timer: null };
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

  watch(set: string): void {
    this.#count(set, 1);
  }

  unwatch(set: string): void {
    this.#count(set, -1);
  }

  /** Ends the set now. */
  async giveUp(set: string, why: string): Promise<void> {
    const tenure = this.#tenures.get(set);
    if (tenure !== undefined) await this.#expire(set, tenure, why);
  }

  /** The set is gone by another way. */
  forget(set: string): void {
    const tenure = this.#tenures.get(set);
    if (tenure === undefined) return;
    if (tenure.timer !== null) clearTimeout(tenure.timer);
    this.#tenures.delete(set);
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

  async #expire(set: string, tenure: Tenure, why: string): Promise<void> {
    if (tenure.timer !== null) clearTimeout(tenure.timer);
    tenure.timer = null;
    const [left] = await this.#requester
      .onBehalfOf(tenure.requester)
      .expire(set, why)
      .catch((error: unknown) => [{ error: toFault(error) }]);
    if (left?.error.code === "E_SET_BUSY") {
      tenure.timer = setTimeout(() => void this.#expire(set, tenure, why), retryAfter);
      return;
    }
    if (left === undefined) {
      this.#log?.info(`set ${set} is removed: ${why}`);
      this.forget(set);
    } else {
      this.#log?.error(`set ${set} has expired (${why}), and could not be removed`, { error: left.error });
      this.#tenures.delete(set);
      tenure.lease.lapse();
    }
  }
}
