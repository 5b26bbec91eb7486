import { SeenSpans } from "../../../base/display/spans.js";
import { duration } from "../../../base/display/units.js";
import type { Event, Operation } from "../../../base/schema/types.js";
import { phases } from "../../../transaction/phases.js";
import { BarRow, timeOf } from "./bars.js";
import { classed, element } from "./element.js";

/** Of its limit, from which on a call is shown to be late. */
const near = 0.8;
/** Calls after which an application goes on. */
const endings: ReadonlySet<string> = new Set(["thaw", "abort"]);

/** An operation while it runs: who does what, for how long, and how long he may. */
export class LiveOperation {
  readonly element: HTMLElement;
  readonly title: string;
  readonly #spans = new SeenSpans();
  readonly #rows = new Map<string, BarRow>();
  readonly #body = element("tbody");
  readonly #state = element("p", {}, "is being planned");
  readonly #still = element("p", { class: "still" });
  readonly #told = element("p", { class: "faint" });
  /** The service's clock, ms. */
  readonly #now: () => number;
  #began: number | null = null;
  #isOver = false;

  constructor({ id, request, requester }: Operation, now: () => number) {
    this.#now = now;
    this.title = request.name ?? id;
    const asked = `${request.targets.join(" ")}, asked for by user ${requester.uid}, pid ${requester.pid}`;
    const table = element("table", { class: "bars", "aria-label": `Who does what in ${this.title}` }, this.#body);
    this.element = element(
      "article",
      {},
      element("h3", {}, this.title, request.name === undefined ? "" : classed("faint", ` ${id}`)),
      element("p", { class: "faint" }, asked),
      this.#state,
      this.#still,
      table,
      this.#told,
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @returns What is to be said aloud. */
  note(event: Event): string | null {
    this.#began ??= Date.parse(event.at) - event.ms;
    this.#spans.note(event);
    const said = this.#tell(event);
    this.draw();
    return said === null ? null : `${this.title}: ${said}`;
  }

  /** As it is now. */
  draw(): void {
    if (this.#isOver || this.#began === null) return;
    const now = this.#now() - this.#began;
    for (const [actor, row] of this.#rows) this.#drawRow(actor, row, now);
    const since = this.#stillSince();
    this.#still.textContent = since === null ? "" : `Applications hold still, for ${duration(now - since)}`;
  }

  #tell(event: Event): string | null {
    switch (event.type) {
      case "begun":
        for (const actor of [...event.writers, ...event.providers]) this.#row(actor);
        return null;
      case "queued": {
        const { owner, volume, position = 1 } = event;
        return this.#say(`waits for ${volume}, which ${owner.transaction} has; number ${position} in the queue`);
      }
      case "phase": {
        const what = Object.hasOwn(phases, event.phase)
          ? `: ${phases[event.phase as keyof typeof phases].summary}`
          : "";
        return this.#say(`${event.phase}${what}; limit ${duration(event.limitMs)}`);
      }
      case "call":
        this.#row(event.actor);
        if (event.status !== "failed") return null;
        this.#told.textContent = `✗ ${event.actor}: ${event.error?.message ?? `${event.op} failed`}`;
        this.#told.className = "bad";
        return this.#told.textContent;
      case "progress":
        this.#told.textContent = `${event.actor}: ${event.message}`;
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
    this.#still.textContent = "";
    this.#told.textContent = error?.message ?? "";
    this.#told.className = "bad";
    return this.#say(`${isGood ? "✓" : "✗"} ${outcome}, after ${duration(ms)}`);
  }

  #say(text: string): string {
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
      row.say(open.op, timeOf(now - open.from, open.limitMs), false);
      row.bar.draw(0, share, share >= near ? "near" : this.#isStill(actor) ? "held" : "");
      return;
    }
    const last = this.#spans.done.findLast((span) => span.actor === actor);
    if (last === undefined) return;
    const { op, from, to, limitMs, outcome } = last;
    const isFailed = outcome === "failed";
    row.say(`${isFailed ? "✗" : "✓"} ${op}`, timeOf(to - from, limitMs), isFailed);
    row.bar.draw(0, (to - from) / Math.max(1, limitMs), isFailed ? "failed" : this.#isStill(actor) ? "held" : "");
  }

  /** Since when an application is still, in the transaction's ms. null: none is. */
  #stillSince(): number | null {
    const asked = [...this.#spans.open, ...this.#spans.done].filter(
      ({ op, actor }) => op === "freeze" && this.#isStill(actor),
    );
    return asked.length === 0 ? null : Math.min(...asked.map(({ from }) => from));
  }

  #isStill(actor: string): boolean {
    const isFrozen = [...this.#spans.open, ...this.#spans.done].some(
      (span) => span.actor === actor && span.op === "freeze",
    );
    return isFrozen && !this.#spans.done.some((span) => span.actor === actor && endings.has(span.op));
  }
}
