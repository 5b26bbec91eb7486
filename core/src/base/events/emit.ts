import type { Event } from "../schema/types.js";

type Timed = "at" | "ms";
/** An event without its times, which the emitter adds. It distributes over the union, so that each type keeps its fields. */
export type Untimed<E extends Event = Event> = E extends Event ? Omit<E, Timed> : never;
export type Emit = (event: Untimed) => void;

/** Adds the wall clock and the ms since the start to events, and passes them on. A listener that throws only loses the event. */
export class Emitter {
  readonly #listeners: readonly ((event: Event) => void)[];
  readonly #started = performance.now();
  /** null: events are delivered at once. */
  #pending: Event[] | null = null;

  constructor(listeners: readonly ((event: Event) => void)[]) {
    this.#listeners = listeners;
  }

  readonly emit: Emit = (untimed) => {
    const ms = roundMs(performance.now() - this.#started);
    const event: Event = { ...untimed, at: new Date().toISOString(), ms };
    if (this.#pending === null) this.#deliver(event);
    else this.#pending.push(event);
  };

  /** Events are kept from now on, because a listener may write to a volume that is held. */
  suspend(): void {
    this.#pending ??= [];
  }

  /** Delivers the events that were kept. */
  resume(): void {
    const pending = this.#pending ?? [];
    this.#pending = null;
    for (const event of pending) this.#deliver(event);
  }

  #deliver(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A closed terminal must not stop a transaction.
      }
    }
  }
}

/** Rounds to microseconds. */
export const roundMs = (ms: number): number => Math.round(ms * 1000) / 1000;
