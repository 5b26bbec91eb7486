import { type Command, common, type CommandEntry, type Options } from "../parse/command.js";
import { bold, type TerminalStyle, wrapText } from "../terminal/style.js";
import { commandTable } from "../table.js";

/** What all commands are. */
export function generalHelp(look: TerminalStyle, entries: readonly CommandEntry[] = commandTable): string[] {
  const width = Math.max(...entries.map(({ name }) => name.length));
  return [
    "Takes snapshots of applications that hold still: one transaction, with a deadline.",
    "",
    `${bold(look, "Usage:")} holdstill COMMAND [ARGUMENT]… [OPTION]…`,
    "",
    bold(look, "Commands"),
    ...entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    bold(look, "Options of every command"),
    ...optionLines(common, look),
    "      --version        the version of holdstill",
    "",
    bold(look, "Exit codes"),
    "  0  done                              4  aborted, and everything undone",
    "  2  the call or the config is wrong   5  created, below the asked consistency",
    "  3  refused by the plan               6  something could not be undone",
    "  1  a bug in holdstill              130  interrupted",
    "",
    "`holdstill COMMAND --help` has the options of a command, and examples.",
  ];
}

export function commandHelp({ name, summary }: CommandEntry, command: Command, look: TerminalStyle): string[] {
  const own = optionLines(command.options, look);
  return [
    `holdstill ${name}: ${summary}`,
    "",
    ...usageLines(`${name} ${command.usage}`.trim(), look),
    "",
    ...wrapText(command.about, look.columns),
    "",
    ...(own.length === 0 ? [] : [bold(look, "Options"), ...own, ""]),
    bold(look, "Options of every command"),
    ...optionLines(common, look),
    ...(command.streams === true ? ["      --json=stream    every event as one line of JSON on stdout"] : []),
    "",
    bold(look, "Examples"),
    ...command.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
  ];
}

function usageLines(usage: string, look: TerminalStyle): string[] {
  // What stands in brackets stays together.
  const text = usage.replaceAll(/\[[^\]]*\]/g, (part) => part.replaceAll(" ", "\u00A0"));
  const start = "Usage: holdstill ";
  return wrapText(text, look.columns - start.length).map((line, at) => {
    const before = at === 0 ? `${bold(look, "Usage:")} holdstill ` : " ".repeat(start.length);
    return before + line.replaceAll("\u00A0", " ");
  });
}

/** That of `-h, --json=stream`, so that the lists of one page are in line. */
const leastWidth = 17;

function optionLines(options: Options, look: TerminalStyle): string[] {
  const forms = Object.entries(options).map(([name, { value, short, about }]) => {
    const shortForm = short === undefined ? "    " : `-${short}, `;
    return { form: `${shortForm}--${name}${value === undefined ? "" : ` ${value}`}`, about };
  });
  const width = Math.max(leastWidth, ...forms.map(({ form }) => form.length));
  return forms.flatMap(({ form, about }) =>
    wrapText(about, look.columns - width - 4).map((line, at) => `  ${(at === 0 ? form : "").padEnd(width)}  ${line}`),
  );
}
