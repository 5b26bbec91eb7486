import { duration, instant } from "../../../base/display/units.js";
import type { PastTransaction } from "../../../base/schema/types.js";
import { timeline } from "./bars.js";
import { backupWords, verdictOf } from "../../../base/display/verdict.js";
import { element } from "./element.js";

const marks = { good: "✓", warn: "!", bad: "✗" } as const;

/** Past transactions, newest first. An entry is never replaced, because it may be open or have the focus. */
export class HistoryPanel {
  readonly #list: HTMLElement;
  readonly #shown = new Map<string, HistoryEntry>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** @param past Oldest first. */
  show(past: readonly PastTransaction[]): void {
    for (const one of past) {
      const key = `${one.at} ${one.id ?? ""}`;
      const shown = this.#shown.get(key) ?? new HistoryEntry(one);
      if (!this.#shown.has(key)) this.#list.prepend(shown.element);
      this.#shown.set(key, shown);
      shown.showBackup(one);
    }
  }
}

class HistoryEntry {
  readonly element: HTMLElement;
  readonly #outcome = element("span");
  readonly #backup = element("div");

  constructor(past: PastTransaction) {
    const { id, name, at, cause, targets, timeline: spans } = past;
    const summary = element(
      "summary",
      {},
      element("b", {}, instant(at)),
      this.#outcome,
      ...(name === undefined ? [] : [element("b", {}, ` ${name}`)]),
      ` of ${targets.join(" ")}`,
      this.#backup,
      ...(cause === undefined ? [] : [element("div", { class: "bad" }, cause.message)]),
    );
    this.element = element("details", {}, summary);
    // Drawn when it is opened: there may be hundreds.
    this.element.addEventListener(
      "toggle",
      () => {
        if (cause?.hint !== undefined) this.element.append(element("p", {}, `→ ${cause.hint}`));
        if (id !== undefined) this.element.append(element("p", { class: "faint" }, id));
        this.element.append(spans.length === 0 ? element("p", {}, "Nothing was begun.") : timeline(spans));
      },
      { once: true },
    );
  }

  /** The result of the backup is known later than the rest. */
  showBackup(past: PastTransaction): void {
    const { outcome, consistency, frozenMs = 0, freezeMethod, backup } = past;
    const method = freezeMethod === undefined ? "" : ` (${freezeMethod})`;
    const reached = consistency === undefined ? "" : `: ${consistency}, frozen for ${duration(frozenMs)}${method}`;
    const verdict = verdictOf(past);
    const isCreated = outcome === "created" && verdict !== "warn";
    this.#outcome.className = verdict;
    this.#outcome.textContent = ` ${isCreated ? marks.good : marks[verdict]} ${outcome}${reached}`;
    this.#backup.className = verdict;
    this.#backup.textContent = backup === undefined ? "" : `${instant(backup.at)} ${backupWords(backup)}`;
  }
}
