/** What writes to disk on its own, and can be kept from it. */
export interface Pausable {
  /** Resolves when nothing is on its way to disk any more, or after 1 s. */
  pause(): Promise<void>;
  resume(): void;
}

/**
 * Keeps this process from writing to disk while one of its transactions holds volumes. A write would stop the event loop that has to
 * send "release", and on a held volume it would wait for that very message. Holds of several transactions may overlap. Writers that
 * wait have their turn before the next hold begins, so that neither starves the other.
 */
export class WriteGate {
  readonly #log: Pausable | null;
  #holds = 0;
  #paused: Promise<void> | null = null;
  #writers: (() => void)[] = [];
  #holders: (() => void)[] = [];

  constructor(log: Pausable | null = null) {
    this.#log = log;
  }

  /** A hold is about to begin. Resolves when nothing is on its way to disk any more, or after 1 s. */
  async suspend(): Promise<void> {
    while (this.#writers.length > 0) await new Promise<void>((resolve) => this.#holders.push(resolve));
    this.#holds += 1;
    this.#paused ??= this.#log?.pause() ?? null;
    await this.#paused;
  }

  /** The hold is over, whatever its result. */
  resume(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    this.#paused = null;
    this.#log?.resume();
    for (const write of this.#writers.splice(0)) write();
    const holders = this.#holders.splice(0);
    if (holders.length > 0) setImmediate(() => holders.forEach((hold) => hold()));
  }

  /** When writing is allowed; null: now. A transaction that holds must not wait for this: it would wait for itself. */
  pass(): Promise<void> | null {
    return this.#holds === 0 ? null : new Promise((resolve) => this.#writers.push(resolve));
  }

  /** Runs a synchronous write when writing is allowed: at once, if nothing is held. */
  async write<T>(work: () => T): Promise<T> {
    const open = this.pass();
    if (open !== null) await open;
    return work();
  }
}
