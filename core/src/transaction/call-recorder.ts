import { toFault } from "../base/errors/error.js";
import { roundMs } from "../base/events/emit.js";
import type { Fault, JournalEntry, Span } from "../base/schema/types.js";
import type { TransactionServices } from "./services.js";
import type { TransactionEvent, TransactionOp } from "./state.js";

/** Records a transaction's calls: in the journal, in the timeline, and as events. */
export class CallRecorder {
  readonly #services: Pick<TransactionServices, "journal" | "emit" | "timeline">;

  constructor(services: Pick<TransactionServices, "journal" | "emit" | "timeline">) {
    this.#services = services;
  }

  /** Before the call. @returns Why it could not be written down: then the call must not be made, unless it undoes something. */
  asked(actor: string, op: TransactionOp): Promise<Fault | null> {
    return this.#write({ entry: "asked", actor, op }, op);
  }

  /** A result that cannot be written down counts as a failure. */
  async answered(actor: string, op: TransactionOp, event: TransactionEvent): Promise<TransactionEvent> {
    const token = event.type === "frozen" ? { token: event.token } : {};
    const fault = event.type === "failed" ? { fault: event.fault } : {};
    const unwritten = await this.#write({ entry: "answered", actor, op, ...token, ...fault }, op);
    return unwritten === null ? event : { type: "failed", actor, fault: unwritten };
  }

  /** A call that has ended. */
  note(span: Omit<Span, "outcome" | "reason">, fault: Fault | null): void {
    const { actor, op, from, to } = span;
    const status = fault === null ? "ok" : "failed";
    this.#services.timeline.push({ ...span, outcome: status, ...(fault === null ? {} : { reason: fault.message }) });
    const elapsedMs = roundMs(to - from);
    this.#services.emit({ type: "call", actor, op, status, elapsedMs, ...(fault === null ? {} : { error: fault }) });
  }

  async #write(entry: JournalEntry, op: TransactionOp): Promise<Fault | null> {
    try {
      await this.#services.journal.write(entry);
      return null;
    } catch (error) {
      return op === "thaw" || op === "abort" ? null : toFault(error);
    }
  }
}
