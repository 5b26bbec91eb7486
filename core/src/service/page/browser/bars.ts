import { duration } from "../../../base/display/units.js";
import type { Span } from "../../../base/schema/types.js";
import { element } from "./element.js";

/** A track that is partly filled. Screen readers skip it, because the numbers beside it have the same content. */
export class Bar {
  readonly element: HTMLElement;
  readonly #fill = element("i");

  constructor() {
    this.element = element("div", { class: "track", "aria-hidden": "true" }, this.#fill);
  }

  draw(from: number, to: number, className: string): void {
    const start = Math.min(0.997, Math.max(0, from));
    this.#fill.style.left = `${100 * start}%`;
    this.#fill.style.width = `${100 * Math.max(0, Math.min(1, to) - start)}%`;
    this.#fill.className = className;
  }
}

/** One row: actor, operation, bar, and time of the limit. */
export class BarRow {
  readonly element: HTMLElement;
  readonly bar = new Bar();
  readonly #op = element("td", { class: "op" });
  readonly #time = element("td", { class: "time" });

  constructor(actor: string) {
    const head = element("th", { scope: "row" }, actor);
    this.element = element("tr", {}, head, this.#op, element("td", { class: "bar" }, this.bar.element), this.#time);
  }

  show(op: string, time: string, isFailed: boolean): void {
    if (this.#op.textContent !== op) this.#op.textContent = op;
    if (this.#time.textContent !== time) this.#time.textContent = time;
    this.element.className = isFailed ? "failed" : "";
  }
}

export const timeOf = (ms: number, limitMs: number): string =>
  limitMs > 0 ? `${duration(ms)} of ${duration(limitMs)}` : duration(ms);

/** Past calls on one axis, in the order of their starts. */
export function timeline(spans: readonly Span[]): HTMLElement {
  const end = Math.max(1, ...spans.map(({ to }) => to));
  const rows = spans
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .flatMap(({ actor, op, from, to, limitMs, outcome, reason }) => {
      const isFailed = outcome === "failed";
      const row = new BarRow(actor);
      row.show(isFailed ? `✗ ${op}` : op, timeOf(to - from, limitMs), isFailed);
      row.bar.draw(from / end, to / end, isFailed ? "failed" : "");
      if (!isFailed || reason === undefined) return [row.element];
      return [row.element, element("tr", { class: "failed" }, element("td", { colspan: "4" }, reason))];
    });
  const label = `Calls, ${duration(end)} in all`;
  return element("table", { class: "bars", "aria-label": label }, element("tbody", {}, ...rows));
}
