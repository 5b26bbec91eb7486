import type { Span } from "../../base/schema/types.js";
import { bold, type TerminalStyle, wrapText } from "../terminal/style.js";
import { duration } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

/**
 * Which writers were frozen, from when to when and with which limit, and the calls meanwhile; then every call. The bars of each part
 * share one axis. A failed call has a ✗ and the reason.
 */
export function timelineLines(recorded: readonly Span[], style: TerminalStyle): string[] {
  if (recorded.length === 0) return [];
  const spans = visible(recorded);
  const frozen = freezeLines(spans, style);
  return [...frozen, ...(frozen.length > 0 ? [""] : []), ...callLines(spans, style)];
}

/** From the call of freeze to the end of the call that ended it. */
interface Freeze {
  actor: string;
  from: number;
  to: number;
  /** The time until thaw was called, and the limit of thaw: the freeze window. null: abort ended the freeze, or nothing did. */
  limitMs: number | null;
  /** The freeze succeeded, and so did the calls that ended it. */
  isWhole: boolean;
}

function freezeLines(spans: readonly Span[], style: TerminalStyle): string[] {
  const freezes = freezesOf(spans);
  if (freezes.length === 0) return [];
  const axis = { from: Math.min(...freezes.map(({ from }) => from)), to: Math.max(...freezes.map(({ to }) => to)) };
  const meanwhile = spans.filter(({ op, from, to }) => criticalSection.has(op) && to >= axis.from && from <= axis.to);
  const rows = [
    ...freezes.map(({ actor, from, to, limitMs, isWhole }): Row => {
      const times = [duration(to - from), limitMs === null ? "" : `of ${duration(limitMs)}`];
      return { isFailed: !isWhole, names: [actor], times, from, to, fill: "█" };
    }),
    ...meanwhile.map((span): Row => ({ ...rowOf(span), names: [`${span.actor}: ${span.op}`], fill: "▒" })),
  ];
  const title = `From freeze to thaw: ${duration(axis.to - axis.from)}, from ${duration(axis.from)} to ${duration(axis.to)}`;
  return [bold(style, title), ...chartLines(rows, axis, style)];
}

function freezesOf(spans: readonly Span[]): Freeze[] {
  const end = Math.max(...spans.map(({ to }) => to));
  return spans
    .filter(({ op }) => op === "freeze")
    .map(({ actor, from, outcome: freezeOutcome }) => {
      const later = spans.filter((span) => span.actor === actor && span.from >= from && endings.has(span.op));
      const closing = later.find(({ outcome }) => outcome === "ok");
      const limitMs = closing?.op === "thaw" ? closing.from - from + closing.limitMs : null;
      const isWhole = freezeOutcome === "ok" && closing !== undefined && later.every(({ outcome }) => outcome === "ok");
      return { actor, from, to: closing?.to ?? end, limitMs, isWhole };
    });
}

function callLines(spans: readonly Span[], style: TerminalStyle): string[] {
  const axis = { from: 0, to: Math.max(...spans.map(({ to }) => to)) };
  const rows = spans
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .map((span): Row => {
      const row = rowOf(span);
      const reason = span.reason === undefined ? {} : { reason: span.reason };
      return { ...row, names: [span.actor, span.op], times: [`at ${duration(span.from)}`, ...row.times], ...reason };
    });
  return [bold(style, `Calls, ${duration(axis.to)} in all`), ...chartLines(rows, axis, style)];
}

interface Row {
  isFailed: boolean;
  names: string[];
  times: string[];
  from: number;
  to: number;
  fill: "█" | "▒";
  reason?: string;
}

function rowOf({ actor, op, from, to, limitMs, outcome }: Span): Row {
  const times = [duration(to - from), `of ${duration(limitMs)}`];
  return { isFailed: outcome === "failed", names: [actor, op], times, from, to, fill: "█" };
}

/** Calls during which the snapshot is taken. */
const criticalSection: ReadonlySet<string> = new Set(["hold", "commit", "release"]);
/** Calls after which an application runs again. */
const endings: ReadonlySet<string> = new Set(["thaw", "abort"]);
const longestName = 24;
const bars = { shortest: 8, longest: 40 } as const;

interface Axis {
  from: number;
  to: number;
}

function chartLines(rows: readonly Row[], axis: Axis, style: TerminalStyle): string[] {
  const named = rows.map((row) => ({ ...row, names: row.names.map((name) => shortened(name)) }));
  const names = widthsOf(named.map((row) => row.names));
  const times = widthsOf(named.map((row) => row.times));
  const used = [...names, ...times].reduce((sum, width) => sum + width + 2, 2);
  const width = Math.max(bars.shortest, Math.min(bars.longest, style.columns - used));
  return named.flatMap((row) => {
    const cells = [
      ...row.names.map((name, at) => name.padEnd(names[at] ?? 0)),
      ...row.times.map((time, at) => time.padStart(times[at] ?? 0)),
    ];
    const line = [...cells, barOf(row, axis, width)].join("  ");
    if (!row.isFailed) return [`  ${line}`];
    const reason = wrapText(row.reason ?? "", style.columns - 4).filter((part) => part !== "");
    return [`✗ ${line}`, ...reason.map((part) => `    ${part}`)].map((failed) => style.paint("red", failed));
  });
}

function barOf({ from, to, fill }: Row, axis: Axis, width: number): string {
  const scale = axis.to > axis.from ? width / (axis.to - axis.from) : 0;
  const at = (ms: number): number => Math.max(0, Math.min(width, Math.round((ms - axis.from) * scale)));
  const start = Math.min(width - 1, at(from));
  return " ".repeat(start) + fill.repeat(Math.max(1, at(to) - start));
}

function widthsOf(rows: readonly string[][]): number[] {
  const columns = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
}

const shortened = (name: string): string => (name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name);
