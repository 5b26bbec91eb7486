import { duration, instant } from "../../../base/display/units.js";
import type { Fault, WriterDocument, WriterList } from "../../../base/schema/types.js";
import { classed, element, lines, htmlTable } from "./element.js";

/** The last freeze of a writer; see core/src/store/history.ts. */
interface Last {
  at: string;
  result: "frozen" | "failed";
  frozenMs: number | null;
  reason: string | null;
}

/** By the writer's instance. */
export type LastTimes = Readonly<Record<string, Last>>;

/** What the writers report now, and their last freeze. */
export function writerTable({ writers }: WriterList, last: LastTimes): HTMLElement {
  if (writers.length === 0) return element("p", {}, "The config names no writers.");
  const heads = ["Writer", "Responds", "Owns", "Last freeze"];
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
  const problem = classed("bad", `✗ ${message}`);
  return hint === undefined ? [problem] : [problem, classed("", `→ ${hint}`)];
}

function lastOf(last: Last | undefined): HTMLElement[] {
  if (last === undefined) return [classed("faint", "never")];
  const time = last.frozenMs === null ? "" : ` for ${duration(last.frozenMs)}`;
  if (last.result === "frozen") return [classed("good", `✓ frozen${time}`), classed("faint", instant(last.at))];
  return [classed("bad", `✗ failed${time}`), classed("faint", instant(last.at)), classed("bad", last.reason ?? "")];
}
