import type { CommandLine } from "../../base/schema/types.js";
import { colourStyle, fitted, type TerminalStyle, ownColours } from "./style.js";
import { put } from "./output-queue.js";
import { spelled } from "../../base/display/visible.js";

export const stdoutStyle = (): TerminalStyle => colourStyle(process.stdout);
export const stderrStyle = (): TerminalStyle => colourStyle(process.stderr);

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/** Lines for people, on stdout. */
export function print(lines: readonly string[]): void {
  if (lines.length > 0) put(1, `${lines.map((line) => escapeControls(line)).join("\n")}\n`);
}

/** Lines for people, on stderr. On a terminal they are wrapped; a log keeps each whole, so that it can be searched. */
export function printError(lines: readonly string[]): void {
  const escaped = lines.map((line) => escapeControls(line));
  const shown = process.stderr.isTTY ? escaped.flatMap((line) => fitted(line, stderrStyle().columns)) : escaped;
  if (shown.length > 0) put(2, `${shown.join("\n")}\n`);
}

type Documents = Required<CommandLine>;

/** A document that is only written may be readonly throughout, and JSON omits undefined. */
type Written<T> = T extends object
  ? { readonly [K in keyof T]: Written<T[K]> | (object extends Pick<T, K> ? undefined : never) }
  : T;

/** The one document of --json, which schemas/command-line defines under the command's name. */
export function printDocument<N extends keyof Documents>(_command: N, value: Written<Documents[N]>): void {
  put(1, `${JSON.stringify(value, null, 2)}\n`);
}

/** One line of --json=stream. */
export function printLine(value: unknown): void {
  put(1, `${JSON.stringify(value)}\n`);
}

/** The second net, after `visible`: of all control characters, only our own colours reach the terminal. */
export function escapeControls(line: string): string {
  return line
    .split(ownColours)
    .map((part, at) => (at % 2 === 0 ? spelled(part) : part))
    .join("");
}
