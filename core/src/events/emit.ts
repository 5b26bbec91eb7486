import type { Event } from "../schema/types.js";

type Timed = "at" | "ms";
/** An event without its times, which the emitter adds. Distributes over the union, so that each type keeps its own fields. */
export type Untimed<E extends Event = Event> = E extends Event ? Omit<E, Timed> : never;
export type Emit = (event: Untimed) => void;

/** Stamps events with wall clock and with ms since the start, and hands them on. A listener that throws loses its event, no more. */
export function emitter(listeners: readonly ((event: Event) => void)[]): Emit {
  const started = performance.now();
  return (untimed) => {
    const event: Event = { ...untimed, at: new Date().toISOString(), ms: milliseconds(performance.now() - started) };
    for (const listener of listeners) {
      try {
        listener(event);
      } catch {
        // A terminal that went away must not stop a transaction.
      }
    }
  };
}

/** Microseconds are as fine as anybody reads. */
export const milliseconds = (ms: number): number => Math.round(ms * 1000) / 1000;
