import type { Event, Span } from "../schema/types.js";

/** A call that has not returned yet. */
export type OpenSpan = Pick<Span, "op" | "actor" | "from" | "limitMs">;

/** The timeline from the events of a transaction: one that runs, or one that ended without a record. */
export class SeenSpans {
  readonly #done: Span[] = [];
  readonly #open = new Map<string, OpenSpan>();
  #last = 0;

  note(event: Event): void {
    this.#last = event.ms;
    if (event.type !== "call") return;
    const { actor, op, status, ms, limitMs = 0, error } = event;
    const key = `${actor} ${op}`;
    if (status === "begun") {
      this.#open.set(key, { op, actor, from: ms, limitMs });
      return;
    }
    const begun = this.#open.get(key) ?? { op, actor, from: ms, limitMs };
    this.#open.delete(key);
    this.#done.push({ ...begun, to: ms, outcome: status, ...(error === undefined ? {} : { reason: error.message }) });
  }

  /** In the order in which they returned. */
  get done(): readonly Span[] {
    return this.#done;
  }

  get open(): readonly OpenSpan[] {
    return [...this.#open.values()];
  }

  /** A call that did not return counts as failed. */
  all(): Span[] {
    const open = [...this.#open.values()].map((begun): Span => ({
      ...begun,
      to: this.#last,
      outcome: "failed",
      reason: "it did not return",
    }));
    return [...this.#done, ...open];
  }
}
