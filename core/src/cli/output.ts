import { colourLook, type Look } from "./render/look.js";
import { put } from "./outlet.js";
import { spelled } from "../display/visible.js";

export const outLook = (): Look => colourLook(process.stdout);
export const errLook = (): Look => colourLook(process.stderr);

/** Lines for people, on stdout. */
export function print(lines: readonly string[]): void {
  if (lines.length > 0) put(1, `${lines.map((line) => harmless(line)).join("\n")}\n`);
}

/** Lines for people, on stderr. */
export function tell(lines: readonly string[]): void {
  if (lines.length > 0) put(2, `${lines.map((line) => harmless(line)).join("\n")}\n`);
}

/** The one document of --json. */
export function printDocument(value: unknown): void {
  put(1, `${JSON.stringify(value, null, 2)}\n`);
}

/** One line of --json=stream. */
export function printLine(value: unknown): void {
  put(1, `${JSON.stringify(value)}\n`);
}

/** The second net, after `visible`: of all that steers a terminal only the colours that we paint with are let through. */
export function harmless(line: string): string {
  return line
    .split(ownColours)
    .map((part, at) => (at % 2 === 0 ? spelled(part) : part))
    .join("");
}

/** Bold, dim, red, green and yellow, and their ends; see `Style`. */
// oxlint-disable-next-line no-control-regex
const ownColours = /(\u001B\[(?:1|2|22|31|32|33|39)m)/;
