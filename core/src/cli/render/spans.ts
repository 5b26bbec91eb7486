import type { Event, Span } from "../../schema/types.js";

/** The timeline as it can be seen from outside, for a transaction that ended without telling its own. */
export class SeenSpans {
  readonly #done: Span[] = [];
  readonly #open = new Map<string, { op: string; actor: string; from: number; limitMs: number }>();
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
    this.#done.push({ ...begun, to: ms, outcome: status, ...(error === undefined ? {} : { why: error.message }) });
  }

  /** A call without an answer counts as failed. */
  all(): Span[] {
    const open = [...this.#open.values()].map((begun): Span => ({
      ...begun,
      to: this.#last,
      outcome: "failed",
      why: "no answer was seen",
    }));
    return [...this.#done, ...open];
  }
}
