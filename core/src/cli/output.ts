import { colourLook, type Look } from "./render/look.js";

/** What goes wrong while writing, other than a reader that went away. */
let broken: Error | null = null;

/** A reader that went away, `holdstill list | head`, is no fault; nor is a terminal that went away while a transaction runs. */
export function guardStreams(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") broken ??= error;
  });
  process.stderr.on("error", () => {});
}

export const outputFault = (): Error | null => broken;

export const outLook = (): Look => colourLook(process.stdout);
export const errLook = (): Look => colourLook(process.stderr);

/** Lines for people, on stdout. */
export function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.map((line) => harmless(line)).join("\n")}\n`);
}

/** Lines for people, on stderr. */
export function tell(lines: readonly string[]): void {
  if (lines.length > 0) process.stderr.write(`${lines.map((line) => harmless(line)).join("\n")}\n`);
}

/** The one document of --json. */
export function printDocument(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One line of --json=stream. */
export function printLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Names and messages come from plugins and file systems: nothing of them may steer the terminal. Colour is our own. */
export function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\u001B(?!\[[0-9;]*m)|[\u0000-\u0009\u000B-\u001A\u001C-\u001F\u007F-\u009F]/g, "\uFFFD");
}
