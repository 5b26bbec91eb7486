import { SeenSpans } from "../../../base/display/spans.js";
import { duration } from "../../../base/display/units.js";
import type { Event, OperationDocument } from "../../../base/schema/types.js";
import { phases } from "../../../transaction/phases.js";
import { BarRow, timeOf } from "./bars.js";
import { classed, element } from "./element.js";

/** A call that has used this share of its limit is marked. */
const near = 0.8;
/** Calls after which an application runs again. */
const endings: ReadonlySet<string> = new Set(["thaw", "abort"]);

/** An operation while it runs: the call of each actor, its time, and its limit. */
export class LiveOperation {
  readonly element: HTMLElement;
  readonly title: string;
  readonly #spans = new SeenSpans();
  readonly #rows = new Map<string, BarRow>();
  readonly #body = element("tbody");
  readonly #state = element("p", {}, "planning");
  readonly #frozen = element("p", { class: "frozen" });
  readonly #message = element("p", { class: "faint" });
  /** The service's clock, ms. */
  readonly #now: () => number;
  #began: number | null = null;
  #isOver = false;

  constructor({ id, request, requester }: OperationDocument, now: () => number) {
    this.#now = now;
    this.title = request.name ?? id;
    const asked = `${request.targets.join(" ")}, requested by user ${requester.uid}, pid ${requester.pid}`;
    const table = element("table", { class: "bars", "aria-label": `Calls of ${this.title}` }, this.#body);
    this.element = element(
      "article",
      {},
      element("h3", {}, this.title, request.name === undefined ? "" : classed("faint", ` ${id}`)),
      element("p", { class: "faint" }, asked),
      this.#state,
      this.#frozen,
      table,
      this.#message,
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @returns The text for screen readers. */
  note(event: Event): string | null {
    this.#began ??= Date.parse(event.at) - event.ms;
    this.#spans.note(event);
    const text = this.#apply(event);
    this.draw();
    return text === null ? null : `${this.title}: ${text}`;
  }

  /** Updates the times. */
  draw(): void {
    if (this.#isOver || this.#began === null) return;
    const now = this.#now() - this.#began;
    for (const [actor, row] of this.#rows) this.#drawRow(actor, row, now);
    const since = this.#frozenSince();
    this.#frozen.textContent = since === null ? "" : `The first freeze began ${duration(now - since)} ago`;
  }

  #apply(event: Event): string | null {
    switch (event.type) {
      case "begun":
        for (const actor of [...event.writers, ...event.providers]) this.#row(actor);
        return null;
      case "queued": {
        const { owner, volume, position = 1 } = event;
        return this.#showState(
          `waiting for ${volume}, which transaction ${owner.transaction} uses; number ${position} in the queue`,
        );
      }
      case "phase": {
        const what = Object.hasOwn(phases, event.phase)
          ? `: ${phases[event.phase as keyof typeof phases].summary}`
          : "";
        return this.#showState(`${event.phase}${what}; limit ${duration(event.limitMs)}`);
      }
      case "call":
        this.#row(event.actor);
        if (event.status !== "failed") return null;
        this.#message.textContent = `✗ ${event.actor}: ${event.error?.message ?? `${event.op} failed`}`;
        this.#message.className = "bad";
        return this.#message.textContent;
      case "progress":
        this.#message.textContent = `${event.actor}: ${event.message}`;
        return null;
      case "left-out":
        return `${event.actor} is left out: ${event.error.message}`;
      case "warning":
      case "log":
        return null;
      case "ended":
        return this.#end(event);
    }
  }

  #end({ outcome, error, ms }: Event & { type: "ended" }): string {
    this.draw();
    this.#isOver = true;
    const isGood = outcome === "created";
    this.element.className = isGood ? "over" : "over failed";
    this.#frozen.textContent = "";
    this.#message.textContent = error?.message ?? "";
    this.#message.className = "bad";
    return this.#showState(`${isGood ? "✓" : "✗"} ${outcome}, after ${duration(ms)}`);
  }

  #showState(text: string): string {
    this.#state.textContent = text;
    return text;
  }

  #row(actor: string): void {
    if (this.#rows.has(actor)) return;
    const row = new BarRow(actor);
    this.#rows.set(actor, row);
    this.#body.append(row.element);
  }

  #drawRow(actor: string, row: BarRow, now: number): void {
    const open = this.#spans.open.find((span) => span.actor === actor);
    if (open !== undefined) {
      const share = (now - open.from) / Math.max(1, open.limitMs);
      row.show(open.op, timeOf(now - open.from, open.limitMs), false);
      row.bar.draw(0, share, share >= near ? "near" : this.#isFrozen(actor) ? "frozen" : "");
      return;
    }
    const last = this.#spans.done.findLast((span) => span.actor === actor);
    if (last === undefined) return;
    const { op, from, to, limitMs, outcome } = last;
    const isFailed = outcome === "failed";
    row.show(`${isFailed ? "✗" : "✓"} ${op}`, timeOf(to - from, limitMs), isFailed);
    row.bar.draw(0, (to - from) / Math.max(1, limitMs), isFailed ? "failed" : this.#isFrozen(actor) ? "frozen" : "");
  }

  /** The start of the first freeze that lasts, in ms of the transaction. null: nothing is frozen. */
  #frozenSince(): number | null {
    const freezes = [...this.#spans.open, ...this.#spans.done].filter(
      ({ op, actor }) => op === "freeze" && this.#isFrozen(actor),
    );
    return freezes.length === 0 ? null : Math.min(...freezes.map(({ from }) => from));
  }

  #isFrozen(actor: string): boolean {
    const wasFrozen = [...this.#spans.open, ...this.#spans.done].some(
      (span) => span.actor === actor && span.op === "freeze",
    );
    return wasFrozen && !this.#spans.done.some((span) => span.actor === actor && endings.has(span.op));
  }
}
