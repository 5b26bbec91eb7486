import type { Event } from "../../base/schema/types.js";

/** The most events that are kept of one operation. A transaction has some dozens. */
const most = 4096;

/** The events of one operation, in order, for any number of readers, each from its own position and at its own speed. */
export class EventRecord {
  #events: Event[] = [];
  /** How many of the oldest were dropped. */
  #gone = 0;
  #isOver = false;
  readonly #readers = new Set<() => void>();

  add(event: Event): void {
    if (this.#isOver) return;
    this.#events.push(event);
    if (this.#events.length > most) {
      this.#events.shift();
      this.#gone += 1;
    }
    this.#isOver = event.type === "ended";
    for (const read of this.#readers) read();
  }

  /** The event with this number, counted from 1. later: not yet; never: after the last one; gone: dropped. */
  at(number: number): Event | "later" | "never" | "gone" {
    if (number <= this.#gone) return "gone";
    return this.#events[number - this.#gone - 1] ?? (this.#isOver ? "never" : "later");
  }

  get last(): Event | undefined {
    return this.#events.at(-1);
  }

  /** Calls `read` when there is more. @returns Stops that. */
  onMore(read: () => void): () => void {
    this.#readers.add(read);
    return () => void this.#readers.delete(read);
  }
}
