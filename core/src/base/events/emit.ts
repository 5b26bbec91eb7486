import type { Event } from "../schema/types.js";

type Timed = "at" | "ms";
/** An event without its times, which the emitter adds. Distributes over the union, so that each type keeps its own fields. */
export type Untimed<E extends Event = Event> = E extends Event ? Omit<E, Timed> : never;
export type Emit = (event: Untimed) => void;

/** Stamps events with wall clock and with ms since the start, and hands them on. A listener that throws loses its event, no more. */
export class Emitter {
  readonly #listeners: readonly ((event: Event) => void)[];
  readonly #started = performance.now();
  /** null: nothing is kept. */
  #kept: Event[] | null = null;

  constructor(listeners: readonly ((event: Event) => void)[]) {
    this.#listeners = listeners;
  }

  readonly emit: Emit = (untimed) => {
    const ms = roundMs(performance.now() - this.#started);
    const event: Event = { ...untimed, at: new Date().toISOString(), ms };
    if (this.#kept === null) this.#tell(event);
    else this.#kept.push(event);
  };

  /** From now on events are kept: a listener may write to a volume that is held. */
  suspend(): void {
    this.#kept ??= [];
  }

  /** Reports what was kept. */
  resume(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const event of kept) this.#tell(event);
  }

  #tell(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A terminal that went away must not stop a transaction.
      }
    }
  }
}

/** Microseconds are as fine as anybody reads. */
export const roundMs = (ms: number): number => Math.round(ms * 1000) / 1000;
