import type { PastTransaction } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { draw } from "../render/draw.js";
import { UsageError } from "../parse/usage-error.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { fitted, type TerminalStyle, type TextStyle, styleOf, wrapText } from "../terminal/style.js";
import { duration, instant } from "../../base/display/units.js";
import { backupWords, type Verdict, verdictOf } from "../../base/display/verdict.js";
import { visible } from "../../base/display/visible.js";

export const history = command({
  about:
    "Shows past transactions, oldest first. Failed ones are shown with the reason, and so are those that the plan refused. --timeline draws the newest of those shown.",
  operands: noOperands,
  options: {
    last: { type: "text", value: "N", about: "show only the last N" },
    failed: {
      type: "flag",
      about: "show only those that made no set, one below what was asked, or one whose backup failed",
    },
    timeline: { type: "text", value: "FILE", about: "draw the newest of them into FILE.svg or FILE.html" },
  },
  examples: [
    { line: "holdstill history --last 10", does: "the last ten" },
    { line: "holdstill history --failed --timeline why.html", does: "a drawing of the last failure" },
    { line: "holdstill history --failed --json", does: "{ transactions }, with error and timeline" },
  ],
  async run({ form, values, connect }) {
    const all = await (await connect("catalog")).history();
    const selected = values.failed ? all.filter((one) => one.outcome !== "created" || verdictOf(one) === "bad") : all;
    const shown = selected.slice(-lastOf(values.last, selected.length));
    const newest = shown.at(-1);
    if (values.timeline !== undefined) {
      if (newest === undefined)
        throw new UsageError("There is no transaction to draw.", "`holdstill history` shows all.");
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
  throw new UsageError(`--last: \`${text}\` is not a positive number.`, "Write --last=10.");
}

const colours: Readonly<Record<Verdict, TextStyle>> = { good: "green", warn: "yellow", bad: "red" };

function pastLines(past: PastTransaction, style: TerminalStyle): string[] {
  const { id, at, outcome, name, consistency, frozenMs = 0, freezeMethod, cause, targets, timeline, backup } = past;
  const colour = colours[verdictOf(past)];
  const method = freezeMethod === undefined ? "" : ` (${freezeMethod})`;
  const took = timeline.length === 0 ? "" : `, ${duration(Math.max(...timeline.map(({ to }) => to)))} in all`;
  const reached =
    consistency === undefined
      ? ""
      : `: ${style.paint(styleOf(consistency), consistency)}, frozen ${duration(frozenMs)}${method}`;
  const of = [id, name === undefined ? undefined : `(${name})`].filter((part) => part !== undefined).join(" ");
  return [
    ...fitted(`${instant(at)}  ${style.paint(colour, outcome)}${reached}${took}`, style.columns),
    ...wrapText(`${of === "" ? "" : `${of} `}of ${targets.join(" ")}`, style.columns - 2).map((line) => `  ${line}`),
    ...(backup === undefined ? [] : [`  ${instant(backup.at)}  ${style.paint(colour, backupWords(backup))}`]),
    ...wrapText(cause?.message ?? "", style.columns - 4).flatMap((line) =>
      line === "" ? [] : [style.paint("red", `    ${line}`)],
    ),
  ];
}
