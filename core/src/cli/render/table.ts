import { type TerminalStyle, type TextStyle, wrapText } from "../terminal/style.js";

export type Cell = string | { readonly text: string; readonly style: TextStyle };

export interface TableStyle {
  /** Numbers of the columns that are aligned right. */
  right?: readonly number[];
  indent?: number;
}

/** A last column narrower than this is not wrapped beside the others: it would have one word per line. */
const LEAST = 20;

/** Rows in columns of the least width. The last column is wrapped to lines that fit, beside or below the others. */
export function tableLines(
  rows: readonly (readonly Cell[])[],
  style: TerminalStyle,
  { right = [], indent = 2 }: TableStyle = {},
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => textOf(row[column] ?? "").length)),
  );
  const lastAt = indent + widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const available = style.columns - lastAt;
  return rows.flatMap((row) => {
    const last = row[columns - 1] ?? "";
    const isBelow = available < LEAST && textOf(last).length > available;
    const at = isBelow ? indent + 4 : lastAt;
    const lastLines = isBelow ? ["", ...wrapText(textOf(last), style.columns - at)] : wrapText(textOf(last), available);
    const head = row.slice(0, columns - 1).map((cell, column) => {
      const width = widths[column] ?? 0;
      const text = textOf(cell);
      return painted(cell, right.includes(column) ? text.padStart(width) : text.padEnd(width), style);
    });
    const first = [...head, painted(last, lastLines[0] ?? "", style)].join("  ");
    const others = lastLines.slice(1).map((line) => " ".repeat(at) + painted(last, line, style));
    return [`${" ".repeat(indent)}${first}`.trimEnd(), ...others];
  });
}

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);
const painted = (cell: Cell, text: string, style: TerminalStyle): string =>
  typeof cell === "string" ? text : style.paint(cell.style, text);
