import { duration, instant } from "../../../base/display/units.js";
import type { Fault, WriterDocument, WriterList } from "../../../base/schema/types.js";
import { classed, element, lines, htmlTable } from "./element.js";

/** What a writer did when it was last asked; see core/src/store/history.ts. */
interface Last {
  at: string;
  result: "frozen" | "failed";
  frozenMs: number | null;
  reason: string | null;
}

/** By the writer's instance. */
export type LastTimes = Readonly<Record<string, Last>>;

/** What the writers said when they were asked, and what they did since. */
export function writerTable({ writers }: WriterList, last: LastTimes): HTMLElement {
  if (writers.length === 0) return element("p", {}, "The config names no writers.");
  const heads = ["Writer", "Answers", "Owns", "Took part last"];
  return htmlTable(
    "Writers",
    heads,
    writers.map((one) => rowOf(one, last[one.who.instance])),
  );
}

function rowOf({ who, policy, error, components = [] }: WriterDocument, last: Last | undefined): HTMLElement[] {
  return [
    lines(element("b", {}, who.instance), classed("faint", `${who.plugin} ${who.version}, ${policy}`)),
    error === undefined ? lines(classed("good", "✓ yes")) : lines(...faultOf(error)),
    lines(...components.map(({ name, paths }) => `${name}: ${paths.join(" ")}`)),
    lines(...lastOf(last)),
  ];
}

function faultOf({ message, hint }: Fault): HTMLElement[] {
  const told = classed("bad", `✗ ${message}`);
  return hint === undefined ? [told] : [told, classed("", `→ ${hint}`)];
}

function lastOf(last: Last | undefined): HTMLElement[] {
  if (last === undefined) return [classed("faint", "never")];
  const still = last.frozenMs === null ? "" : `, still for ${duration(last.frozenMs)}`;
  if (last.result === "frozen") return [classed("good", `✓ frozen${still}`), classed("faint", instant(last.at))];
  return [classed("bad", `✗ failed${still}`), classed("faint", instant(last.at)), classed("bad", last.reason ?? "")];
}
