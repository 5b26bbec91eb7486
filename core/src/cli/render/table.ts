import { type TerminalStyle, type TextStyle, wrapText } from "../terminal/style.js";

export type Cell = string | { readonly text: string; readonly style: TextStyle };

export interface TableStyle {
  /** Numbers of the columns that are aligned to the right. */
  right?: readonly number[];
  indent?: number;
}

/** Below this a last column is not broken: it would be a column of single words. */
const LEAST = 20;

/** Rows in columns that are as wide as they must be; the last column is broken into lines that fit, beside or below the others. */
export function tableLines(
  rows: readonly (readonly Cell[])[],
  look: TerminalStyle,
  { right = [], indent = 2 }: TableStyle = {},
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => textOf(row[column] ?? "").length)),
  );
  const lastAt = indent + widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = look.columns - lastAt;
  return rows.flatMap((row) => {
    const last = row[columns - 1] ?? "";
    const isBelow = room < LEAST && textOf(last).length > room;
    const at = isBelow ? indent + 4 : lastAt;
    const lastLines = isBelow ? ["", ...wrapText(textOf(last), look.columns - at)] : wrapText(textOf(last), room);
    const head = row.slice(0, columns - 1).map((cell, column) => {
      const width = widths[column] ?? 0;
      const text = textOf(cell);
      return painted(cell, right.includes(column) ? text.padStart(width) : text.padEnd(width), look);
    });
    const first = [...head, painted(last, lastLines[0] ?? "", look)].join("  ");
    const others = lastLines.slice(1).map((line) => " ".repeat(at) + painted(last, line, look));
    return [`${" ".repeat(indent)}${first}`.trimEnd(), ...others];
  });
}

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);
const painted = (cell: Cell, text: string, look: TerminalStyle): string =>
  typeof cell === "string" ? text : look.paint(cell.style, text);
