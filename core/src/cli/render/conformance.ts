import type { CheckResult, ConformanceReport } from "../../base/schema/types.js";
import { bold, dim, type TerminalStyle, wrapText } from "../terminal/style.js";
import { count, duration } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

/** The lines of each check as it ends, below the heading of its group. */
export class CheckLines {
  readonly #style: TerminalStyle;
  readonly #only: "all" | "failed";
  #heading = "";

  constructor(style: TerminalStyle, only: "all" | "failed") {
    this.#style = style;
    this.#only = only;
  }

  of(done: CheckResult): string[] {
    const result = visible(done);
    if (this.#only === "failed" && result.status !== "failed") return [];
    const heading = headingOf(result);
    const head = heading === this.#heading ? [] : [...(this.#heading === "" ? [] : [""]), bold(this.#style, heading)];
    this.#heading = heading;
    return [...head, ...resultLines(result, this.#style)];
  }
}

function headingOf({ group, runtime, variant }: CheckResult): string {
  const where = runtime === undefined ? group : `${group}, in a ${runtime}`;
  return variant === undefined ? where : `${where}, with variant ${variant}`;
}

function resultLines(result: CheckResult, style: TerminalStyle): string[] {
  const { name, title } = result;
  const inside = (text: string, first: string): string[] =>
    wrapText(text, style.columns - 6).map((line, at) => `    ${at === 0 ? first : "  "}${line}`);
  switch (result.status) {
    case "passed":
      return [
        `  ${style.paint("green", "✓")} ${title}`,
        ...(result.note === undefined ? [] : inside(result.note, "  ")),
      ];
    case "skipped":
      return [dim(style, `  - ${title}`), ...inside(`Skipped (${name}): ${result.reason}.`, "  ")];
    case "failed":
      return [
        `  ${style.paint("red", `✗ ${title}`)}`,
        ...inside(`${name}: ${result.seen}`, "  "),
        ...inside(result.next, "→ "),
      ];
  }
}

/** The last line. */
export function verdictLines(report: ConformanceReport, style: TerminalStyle): string[] {
  const { plugin, passed, failed, skipped, ms, holdstill } = visible(report);
  const name = plugin.name === undefined ? plugin.dir : `${plugin.name} ${plugin.version}`;
  const verdict =
    failed === 0
      ? style.paint("green", `${name} conforms to holdstill ${holdstill}`)
      : style.paint("red", `${name} does not conform to holdstill ${holdstill}`);
  return ["", verdict, `  ${count(passed, "check")} passed, ${failed} failed, ${skipped} skipped, in ${duration(ms)}`];
}
