import { command, common, noOperands, type Options } from "../parse/command.js";
import { ownVersion } from "../../installation.js";
import { productSummary } from "../render/help.js";
import { noBreak, optionUsage, usageOf } from "../render/usage.js";
import { print, printDocument, textOf } from "../terminal/output.js";

export const manual = command({
  about: "Prints the manual page in the format of man(1). It comes from the same table as the help.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill manual", does: "save it as /usr/local/share/man/man8/holdstill.8" }],
  async run({ form, table }) {
    const all = await Promise.all(table.map(async (entry) => ({ ...entry, command: await entry.load() })));
    const lines = [
      `.TH HOLDSTILL 8 "" "holdstill ${ownVersion()}"`,
      ".SH NAME",
      roff(`holdstill - ${productSummary}`),
      ".SH SYNOPSIS",
      ".B holdstill",
      roff("COMMAND [ARGUMENT]… [OPTION]…"),
      ".SH COMMANDS",
      ...all.flatMap(({ name, command: one }) => [
        `.SS ${roff(usageOf(name, one).replaceAll(noBreak, " "))}`,
        ...one.about.split("\n\n").flatMap((paragraph, at) => [...(at === 0 ? [] : [".PP"]), roff(paragraph)]),
        ...optionLines(one.options),
        ...one.examples.flatMap(({ line, does }) => [".TP", `.B ${roff(line)}`, roff(does)]),
      ]),
      ".SH OPTIONS OF EVERY COMMAND",
      ...optionLines(common),
      ".SH EXIT STATUS",
      ...exits.flatMap(([code, means]) => [".TP", `.B ${code}`, roff(means)]),
    ];
    if (form === "json") printDocument("manual", { text: textOf(lines) });
    else print(lines);
    return 0;
  },
});

const exits = [
  ["0", "done"],
  ["1", "a bug in holdstill"],
  ["2", "the command line or the config is wrong; nothing was started"],
  ["3", "refused by the plan; nothing was touched"],
  ["4", "aborted: nothing is frozen, nothing is left"],
  ["5", "created, but below the consistency that was asked for"],
  ["6", "something is left that could not be undone: run holdstill recover"],
  ["130", "interrupted, after a clean abort"],
] as const;

function optionLines(options: Options): string[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const { short, about } = option;
    const long = optionUsage(name, option);
    return [".TP", `.B ${roff(short === undefined ? long : `-${short}, ${long}`)}`, roff(about)];
  });
}

/** groff_char(7): a hyphen that can be copied is \-, a backslash is \e; a line that begins with a dot is a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replace(/^(?=[.'])/, String.raw`\&`)
    .replaceAll("…", "...")
    .replaceAll("→", "->");
}
