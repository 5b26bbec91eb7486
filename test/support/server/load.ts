import { type Acknowledged, post, rowsOf, type SqlClient } from "./ledger.js";

/** A session of a writer's own. */
export interface LoadClient extends SqlClient {
  end(): Promise<void>;
}

/** What the load did since it started, or since the last lap. */
export interface Lap {
  readonly transactions: number;
  /** Transactions per second. */
  readonly rate: number;
  /** Longest time that one transaction took, ms; one that is still under way counts as far as it got. */
  readonly worstStallMs: number;
}

interface Worker {
  readonly client: LoadClient;
  readonly worker: number;
  seq: number;
  acknowledgedAt: number;
  /** When the transaction under way began, or null between two. */
  begun: number | null;
  failure: unknown;
}

/** Writers that move money in a ledger as fast as the server confirms, each in a session of its own. */
export class LedgerLoad implements AsyncDisposable {
  readonly #connect: () => Promise<LoadClient>;
  readonly #workers: Worker[] = [];
  readonly #running: Promise<void>[] = [];
  #stopping = false;
  #lapBegun = 0;
  #transactions = 0;
  #worstStallMs = 0;

  constructor(connect: () => Promise<LoadClient>) {
    this.#connect = connect;
  }

  /** Starts the writers; each goes on where the journal's last writer of its number ended. */
  async start(workers = 4): Promise<void> {
    for (let worker = 1; worker <= workers; worker += 1) {
      const client = await this.#connect();
      const [last] = await rowsOf<{ seq: string }>(
        client,
        `SELECT coalesce(max(seq), 0) AS seq FROM journal WHERE worker = ${worker}`,
      );
      const seq = Number(last?.seq);
      this.#workers.push({ client, worker, seq, acknowledgedAt: performance.now(), begun: null, failure: undefined });
    }
    this.#lapBegun = performance.now();
    this.#running.push(...this.#workers.map(async (worker) => await this.#work(worker)));
  }

  /** What the server has confirmed until now: a snapshot that is taken later must have all of it. */
  acknowledged(): Acknowledged[] {
    return this.#workers.map(({ worker, seq, acknowledgedAt }) => ({ worker, seq, at: acknowledgedAt }));
  }

  /** Since the start or the last lap. */
  now(): Lap {
    const now = performance.now();
    const underWay = this.#workers.map(({ begun }) => (begun === null ? 0 : now - begun));
    const seconds = (now - this.#lapBegun) / 1000;
    return {
      transactions: this.#transactions,
      rate: this.#transactions / seconds,
      worstStallMs: Math.max(this.#worstStallMs, ...underWay),
    };
  }

  /** As `now`, and a new lap begins: to compare the time of a freeze with the time before. */
  lap(): Lap {
    const lap = this.now();
    this.#lapBegun = performance.now();
    this.#transactions = 0;
    this.#worstStallMs = 0;
    return lap;
  }

  rate(): number {
    return this.now().rate;
  }

  worstStallMs(): number {
    return this.now().worstStallMs;
  }

  /** Resolves when that many more transactions are confirmed; fails when a writer fails. */
  async advance(transactions: number): Promise<void> {
    const total = (): number => this.#workers.reduce((sum, { seq }) => sum + seq, 0);
    const goal = total() + transactions;
    while (total() < goal) {
      this.#raise();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Lets each writer finish its transaction, and answers the last lap. Fails when a writer had failed before. */
  async stop(): Promise<Lap> {
    const lap = await this.#end();
    this.#raise();
    return lap;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<Lap> {
    this.#stopping = true;
    await Promise.all(this.#running);
    const lap = this.now();
    await Promise.allSettled(this.#workers.map(async ({ client }) => await client.end()));
    return lap;
  }

  async #work(worker: Worker): Promise<void> {
    try {
      while (!this.#stopping) {
        const begun = performance.now();
        worker.begun = begun;
        await post(worker.client, worker.worker, worker.seq + 1);
        const now = performance.now();
        worker.begun = null;
        worker.seq += 1;
        worker.acknowledgedAt = now;
        this.#transactions += 1;
        this.#worstStallMs = Math.max(this.#worstStallMs, now - begun);
      }
    } catch (error) {
      worker.begun = null;
      worker.failure = error;
    }
  }

  #raise(): void {
    const failed = this.#workers.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) throw new Error(`ledger writer ${failed.worker} failed`, { cause: failed.failure });
  }
}
