import type { PastTransaction } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { draw } from "../render/draw.js";
import { UsageError } from "../parse/usage-error.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { type TerminalStyle, type TextStyle, styleOf, wrapText } from "../terminal/style.js";
import { duration, instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

export const history = command({
  usage: "[--last N] [--failed] [--timeline FILE]",
  about:
    "Past transactions, oldest first, also those that failed, with the reason. --timeline draws the newest of those that are shown. What was refused by the plan is among them.",
  operands: noOperands,
  options: {
    last: { type: "text", value: "N", about: "only the last N" },
    failed: { type: "flag", about: "only those that made no set, or one below what was asked" },
    timeline: { type: "text", value: "FILE", about: "draw the newest of them into FILE.svg or FILE.html" },
  },
  examples: [
    { line: "holdstill history --last 10", does: "the last nights" },
    { line: "holdstill history --failed --timeline why.html", does: "the last failure as a snapshot" },
    { line: "holdstill history --failed --json", does: "{ transactions }, with fault and timeline" },
  ],
  async run({ form, values, connect: reach }) {
    const all = await (await reach("catalog")).history();
    const meant = values.failed ? all.filter(({ outcome }) => outcome !== "created") : all;
    const shown = meant.slice(-lastOf(values.last, meant.length));
    const newest = shown.at(-1);
    if (values.timeline !== undefined) {
      if (newest === undefined)
        throw new UsageError("There is no such transaction to draw.", "`holdstill history` shows all.");
      const title = `Transaction of ${newest.targets.join(" ")}, ${instant(newest.at)}: ${newest.outcome}`;
      draw(values.timeline, { title, culprit: newest.cause?.message ?? null, spans: newest.timeline });
    }
    if (form === "json") printDocument("history", { transactions: shown });
    else if (values.timeline !== undefined) return 0;
    else if (shown.length === 0) print(["There were no transactions."]);
    else print(visible(shown).flatMap((one) => pastLines(one, stdoutStyle())));
    return 0;
  },
});

function lastOf(text: string | undefined, all: number): number {
  if (text === undefined) return Math.max(1, all);
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--last: \`${text}\` is no number.`, "Write --last=10.");
}

const styles: Readonly<Record<PastTransaction["outcome"], TextStyle>> = {
  created: "green",
  degraded: "yellow",
  aborted: "red",
  interrupted: "yellow",
  broken: "red",
  refused: "red",
};

function pastLines(past: PastTransaction, look: TerminalStyle): string[] {
  const { id, at, outcome, name, consistency, frozenMs = 0, cause, targets, timeline } = past;
  const took = timeline.length === 0 ? "" : `, ${duration(Math.max(...timeline.map(({ to }) => to)))} in all`;
  const reached =
    consistency === undefined ? "" : `: ${look.paint(styleOf(consistency), consistency)}, frozen ${duration(frozenMs)}`;
  const of = [id, name === undefined ? undefined : `(${name})`].filter((part) => part !== undefined).join(" ");
  return [
    `${instant(at)}  ${look.paint(styles[outcome], outcome)}${reached}${took}`,
    ...wrapText(`${of === "" ? "" : `${of} `}of ${targets.join(" ")}`, look.columns - 2).map((line) => `  ${line}`),
    ...wrapText(cause?.message ?? "", look.columns - 4).flatMap((line) =>
      line === "" ? [] : [look.paint("red", `    ${line}`)],
    ),
  ];
}
