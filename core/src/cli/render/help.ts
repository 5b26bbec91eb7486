import { type Command, type CommandEntry, common, type Options } from "../parse/command.js";
import { bold, type TerminalStyle, wrapText } from "../terminal/style.js";
import { exitCodes } from "./exit-codes.js";
import { noBreak, optionUsage, usageOf } from "./usage.js";

export const productSummary = "application-consistent snapshots, as one transaction with a deadline";

/** What every command is for. */
export function generalHelp(style: TerminalStyle, entries: readonly CommandEntry[]): string[] {
  const width = Math.max(...entries.map(({ name }) => name.length));
  return [
    `holdstill: ${productSummary}`,
    "",
    `${bold(style, "Usage:")} holdstill COMMAND [ARGUMENT]… [OPTION]…`,
    "",
    bold(style, "Commands"),
    ...entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    bold(style, "Options of every command"),
    ...optionLines(common, style),
    "      --version      print the version of holdstill",
    "",
    bold(style, "Exit codes"),
    ...exitLines(),
    "",
    "`holdstill COMMAND --help` shows the options of a command, and examples.",
  ];
}

/** In two columns. */
function exitLines(): string[] {
  const cells = exitCodes.map(({ code, short }) => `${code.padStart(3)}  ${short}`);
  const rows = Math.ceil(cells.length / 2);
  return cells.slice(0, rows).map((cell, row) => ` ${cell.padEnd(46)}${cells[rows + row] ?? ""}`.trimEnd());
}

export function commandHelp(entry: CommandEntry, command: Command, style: TerminalStyle): string[] {
  const own = optionLines(command.options, style);
  return [
    `holdstill ${entry.name}: ${entry.summary}`,
    "",
    ...usageLines(usageOf(entry.name, command), style),
    "",
    ...command.about.split("\n\n").flatMap((paragraph) => [...wrapText(paragraph, style.columns), ""]),
    ...(own.length === 0 ? [] : [bold(style, "Options"), ...own, ""]),
    bold(style, "Options of every command"),
    ...optionLines(common, style),
    ...(command.streams === true ? ["      --json=stream  print each event as one line of JSON on stdout"] : []),
    "",
    bold(style, "Examples"),
    ...command.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
  ];
}

function usageLines(usage: string, style: TerminalStyle): string[] {
  const start = "Usage: holdstill ";
  return wrapText(usage, style.columns - start.length).map((line, at) => {
    const before = at === 0 ? `${bold(style, "Usage:")} holdstill ` : " ".repeat(start.length);
    return before + line.replaceAll(noBreak, " ");
  });
}

/** That of `-h, --json=stream`, so that the lists of one page are aligned. */
const leastWidth = 17;

function optionLines(options: Options, style: TerminalStyle): string[] {
  const forms = Object.entries(options).map(([name, option]) => ({
    form: `${option.short === undefined ? "    " : `-${option.short}, `}${optionUsage(name, option)}`,
    about: option.about,
  }));
  const width = Math.max(leastWidth, ...forms.map(({ form }) => form.length));
  return forms.flatMap(({ form, about }) =>
    wrapText(about, style.columns - width - 4).map((line, at) => `  ${(at === 0 ? form : "").padEnd(width)}  ${line}`),
  );
}
