import { command, common, noOperands, type Options } from "../parse/command.js";
import { ownVersion } from "../../installation.js";
import { print, printDocument, textOf } from "../terminal/output.js";

export const manual = command({
  usage: "",
  about: "Prints the manual page, made from the same table as the help, in the form that man reads.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill manual", does: "to be kept as /usr/local/share/man/man8/holdstill.8" }],
  async run({ form, table }) {
    const all = await Promise.all(table.map(async (entry) => ({ ...entry, command: await entry.load() })));
    const lines = [
      `.TH HOLDSTILL 8 "" "holdstill ${ownVersion()}"`,
      ".SH NAME",
      roff("holdstill - takes snapshots of applications that hold still: one transaction, with a deadline"),
      ".SH SYNOPSIS",
      ".B holdstill",
      roff("COMMAND [ARGUMENT]… [OPTION]…"),
      ".SH COMMANDS",
      ...all.flatMap(({ name, command: { usage, about, options, examples } }) => [
        `.SS ${roff(`${name} ${usage}`.trim())}`,
        roff(about),
        ...optionLines(options),
        ...examples.flatMap(({ line, does }) => [".TP", `.B ${roff(line)}`, roff(does)]),
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
  ["2", "the call or the config is wrong; nothing was started"],
  ["3", "refused by the plan; nothing was touched"],
  ["4", "aborted, and everything undone"],
  ["5", "created, below the asked consistency"],
  ["6", "something could not be undone: holdstill recover"],
  ["130", "interrupted, after a clean abort"],
] as const;

function optionLines(options: Options): string[] {
  return Object.entries(options).flatMap(([name, { value, short, about }]) => {
    const long = `--${name}${value === undefined ? "" : ` ${value}`}`;
    return [".TP", `.B ${roff(short === undefined ? long : `-${short}, ${long}`)}`, roff(about)];
  });
}

/** groff_char(7): a hyphen that is to be copied is \-, a backslash \e; a line that begins with a dot is a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replace(/^(?=[.'])/, String.raw`\&`)
    .replaceAll("…", "...")
    .replaceAll("→", "->");
}
