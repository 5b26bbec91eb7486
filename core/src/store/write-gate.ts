/** What writes to disk by itself, and can be kept from it. */
export interface Pausable {
  /** Resolves when nothing is on its way to disk any more, or after 1 s. */
  pause(): Promise<void>;
  resume(): void;
}

/**
 * Of a process in which several transactions run at a time: while one of them holds volumes, none of the others writes to disk.
 * A write would stop the event loop that is to say "release", and on a volume that is held it would wait for that very word.
 * Holds may overlap; those who wait to write have their turn before the next hold begins, so that neither starves the other.
 */
export class WriteGate {
  readonly #log: Pausable | null;
  #holds = 0;
  #paused: Promise<void> | null = null;
  #writers: (() => void)[] = [];
  #holders: (() => void)[] = [];

  constructor(log: Pausable | null) {
    this.#log = log;
  }

  /** A hold is about to begin. Resolves when nothing is on its way to disk any more, or after 1 s. */
  async suspend(): Promise<void> {
    while (this.#writers.length > 0) await new Promise<void>((resolve) => this.#holders.push(resolve));
    this.#holds += 1;
    this.#paused ??= this.#log?.pause() ?? null;
    await this.#paused;
  }

  /** The hold is over, whatever came of it. */
  resume(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    this.#paused = null;
    this.#log?.resume();
    for (const write of this.#writers.splice(0)) write();
    const holders = this.#holders.splice(0);
    if (holders.length > 0) setImmediate(() => holders.forEach((hold) => hold()));
  }

  /** When one may write; null: now. Not to be asked by who holds. */
  pass(): Promise<void> | null {
    return this.#holds === 0 ? null : new Promise((resolve) => this.#writers.push(resolve));
  }
}
