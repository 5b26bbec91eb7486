import { toFault } from "../base/errors/error.js";
import { type Emit, roundMs } from "../base/events/emit.js";
import type { Fault, JournalEntry, Span } from "../base/schema/types.js";
import type { Journal } from "../store/journal.js";
import type { TransactionEvent, TransactionOp } from "./state.js";

interface RecorderTargets {
  readonly journal: Journal;
  readonly emit: Emit;
  /** Every call is added here when it has ended. */
  readonly timeline: Span[];
}

/** What a transaction writes down of its calls: in the journal, in the timeline, and to whoever watches. */
export class CallRecorder {
  readonly #books: RecorderTargets;
  /** Lines that wait for the release: the journal is a file, and files may be held. null: none has to wait. */
  #kept: JournalEntry[] | null = null;

  constructor(books: RecorderTargets) {
    this.#books = books;
  }

  /** Before the action: if it cannot be written down it must not happen, unless it undoes something. */
  asked(actor: string, op: TransactionOp): void {
    this.#write({ entry: "asked", actor, op }, op);
  }

  /** An answer that cannot be written down counts as a failure. */
  answered(actor: string, op: TransactionOp, event: TransactionEvent): TransactionEvent {
    const token = event.is === "frozen" ? { token: event.token } : {};
    const fault = event.is === "failed" ? { fault: event.fault } : {};
    try {
      this.#write({ entry: "answered", actor, op, ...token, ...fault }, op);
      return event;
    } catch (error) {
      return { is: "failed", actor, fault: toFault(error) };
    }
  }

  /** A call that has ended. */
  note(span: Omit<Span, "outcome" | "reason">, fault: Fault | null): void {
    const { actor, op, from, to } = span;
    const status = fault === null ? "ok" : "failed";
    this.#books.timeline.push({ ...span, outcome: status, ...(fault === null ? {} : { reason: fault.message }) });
    const elapsedMs = roundMs(to - from);
    this.#books.emit({ type: "call", actor, op, status, elapsedMs, ...(fault === null ? {} : { error: fault }) });
  }

  /** From now on lines wait. */
  suspend(): void {
    this.#kept ??= [];
  }

  /** Writes what waited. @returns Why it could not. */
  resume(): Fault | null {
    const kept = this.#kept ?? [];
    this.#kept = null;
    try {
      for (const entry of kept) this.#books.journal.write(entry);
      return null;
    } catch (error) {
      return toFault(error);
    }
  }

  #write(entry: JournalEntry, op: TransactionOp): void {
    if (this.#kept !== null) {
      this.#kept.push(entry);
      return;
    }
    try {
      this.#books.journal.write(entry);
    } catch (error) {
      if (op !== "thaw" && op !== "abort") throw error;
    }
  }
}
