import { styleText } from "node:util";

export type TextStyle = "bold" | "dim" | "red" | "green" | "yellow";

/** How wide the output may be, and whether it has colour. */
export interface TerminalStyle {
  readonly columns: number;
  paint(style: TextStyle, text: string): string;
}

/** Colour if the stream is a terminal that supports it, and NO_COLOR is not set. */
export function colourStyle(stream: NodeJS.WriteStream): TerminalStyle {
  const isColoured = stream.isTTY && stream.hasColors();
  return {
    // A terminal without a size reports 0.
    columns: Math.min(Math.max(stream.columns || 80, 60), 100),
    paint: (style, text) => (isColoured ? styleText(style, text, { stream, validateStream: false }) : text),
  };
}

export const bold = (style: TerminalStyle, text: string): string => style.paint("bold", text);
export const dim = (style: TerminalStyle, text: string): string => style.paint("dim", text);

const styles = { application: "green", filesystem: "yellow", crash: "yellow", none: "red" } as const;

export function styleOf(consistency: keyof typeof styles): TextStyle {
  return styles[consistency];
}

/** Lines of at most `width`, wrapped at spaces. A longer word stays whole. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/[ \n]+/)) {
    const last = lines.at(-1);
    if (last === undefined || widthOf(last) + 1 + widthOf(word) > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** A line that is too long is wrapped, and its continuation indented by two more. */
export function fitted(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const indent = /^ */.exec(line)?.[0] ?? "";
  const width = columns - indent.length - 2;
  return wrapText(line.trimStart(), width).map((part, at) => `${indent}${at === 0 ? "" : "  "}${part}`);
}

/** Colours have no width. */
const widthOf = (text: string): number => text.replaceAll(ownColours, "").length;

/** Bold, dim, red, green and yellow, and their ends; see `Style`. */
// oxlint-disable-next-line no-control-regex
export const ownColours = /(\u001B\[(?:1|2|22|31|32|33|39)m)/g;
