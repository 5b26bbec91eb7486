import { duration, instant } from "../../../base/display/units.js";
import type { PastTransaction } from "../../../base/schema/types.js";
import { timeline } from "./bars.js";
import { classed, element } from "./element.js";

const classes: Readonly<Record<PastTransaction["outcome"], string>> = {
  created: "good",
  degraded: "warn",
  interrupted: "warn",
  aborted: "bad",
  broken: "bad",
  refused: "bad",
};

/** Past transactions, newest first. An entry is never replaced, because it may be open or have the focus. */
export class HistoryPanel {
  readonly #list: HTMLElement;
  readonly #shown = new Set<string>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** @param past Oldest first. */
  show(past: readonly PastTransaction[]): void {
    for (const one of past) {
      const key = `${one.at} ${one.id ?? ""}`;
      if (this.#shown.has(key)) continue;
      this.#shown.add(key);
      this.#list.prepend(entry(one));
    }
  }
}

function entry({
  id,
  name,
  at,
  outcome,
  consistency,
  frozenMs,
  cause,
  targets,
  timeline: spans,
}: PastTransaction): HTMLElement {
  const reached = consistency === undefined ? "" : `: ${consistency}, frozen for ${duration(frozenMs ?? 0)}`;
  const summary = element(
    "summary",
    {},
    element("b", {}, instant(at)),
    classed(classes[outcome], `${outcome === "created" ? "✓" : "✗"} ${outcome}${reached}`),
    ` of ${targets.join(" ")}`,
    ...(cause === undefined ? [] : [element("div", { class: "bad" }, cause.message)]),
  );
  const known = [name, id].filter((one) => one !== undefined).join(" ");
  const details = element("details", {}, summary);
  // Drawn when it is opened: there may be hundreds.
  details.addEventListener(
    "toggle",
    () => {
      if (cause?.hint !== undefined) details.append(element("p", {}, `→ ${cause.hint}`));
      if (known !== "") details.append(element("p", { class: "faint" }, known));
      details.append(spans.length === 0 ? element("p", {}, "Nothing was begun.") : timeline(spans));
    },
    { once: true },
  );
  return details;
}
