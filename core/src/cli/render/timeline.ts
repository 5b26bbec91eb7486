import type { Span } from "../../base/schema/types.js";
import { bold, type TerminalStyle, wrapText } from "../terminal/style.js";
import { duration } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

/**
 * Who held still, from when to when and against which limit, and what was done meanwhile; then every call. The bars of each part
 * share one axis. Whoever failed has a ✗ and the reason.
 */
export function timelineLines(seen: readonly Span[], look: TerminalStyle): string[] {
  if (seen.length === 0) return [];
  const spans = visible(seen);
  const still = stillLines(spans, look);
  return [...still, ...(still.length > 0 ? [""] : []), ...callLines(spans, look)];
}

/** From the request to freeze to the answer that let go. */
interface Still {
  actor: string;
  from: number;
  to: number;
  /** What had passed when thaw was asked, and what it was left: the freeze window. null: abort let go, or nobody. */
  limitMs: number | null;
  /** Frozen when it was asked to, without a gap as far as the calls tell, and let go. */
  isSure: boolean;
}

function stillLines(spans: readonly Span[], look: TerminalStyle): string[] {
  const stills = stillsOf(spans);
  if (stills.length === 0) return [];
  const axis = { from: Math.min(...stills.map(({ from }) => from)), to: Math.max(...stills.map(({ to }) => to)) };
  const meanwhile = spans.filter(({ op, from, to }) => pictures.has(op) && to >= axis.from && from <= axis.to);
  const rows = [
    ...stills.map(({ actor, from, to, limitMs, isSure }): Row => {
      const times = [duration(to - from), limitMs === null ? "" : `of ${duration(limitMs)}`];
      return { isFailed: !isSure, names: [actor], times, from, to, fill: "█" };
    }),
    ...meanwhile.map((span): Row => ({ ...rowOf(span), names: [`${span.actor}: ${span.op}`], fill: "▒" })),
  ];
  const title = `Held still for ${duration(axis.to - axis.from)}, from ${duration(axis.from)} to ${duration(axis.to)}`;
  return [bold(look, title), ...chartLines(rows, axis, look)];
}

function stillsOf(spans: readonly Span[]): Still[] {
  const end = Math.max(...spans.map(({ to }) => to));
  return spans
    .filter(({ op }) => op === "freeze")
    .map(({ actor, from, outcome: frozen }) => {
      const later = spans.filter((span) => span.actor === actor && span.from >= from && endings.has(span.op));
      const closing = later.find(({ outcome }) => outcome === "ok");
      const limitMs = closing?.op === "thaw" ? closing.from - from + closing.limitMs : null;
      const isSure = frozen === "ok" && closing !== undefined && later.every(({ outcome }) => outcome === "ok");
      return { actor, from, to: closing?.to ?? end, limitMs, isSure };
    });
}

function callLines(spans: readonly Span[], look: TerminalStyle): string[] {
  const axis = { from: 0, to: Math.max(...spans.map(({ to }) => to)) };
  const rows = spans
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .map((span): Row => {
      const row = rowOf(span);
      const reason = span.reason === undefined ? {} : { reason: span.reason };
      return { ...row, names: [span.actor, span.op], times: [`at ${duration(span.from)}`, ...row.times], ...reason };
    });
  return [bold(look, `Calls, ${duration(axis.to)} in all`), ...chartLines(rows, axis, look)];
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
const pictures: ReadonlySet<string> = new Set(["hold", "commit", "release"]);
/** Calls after which an application goes on. */
const endings: ReadonlySet<string> = new Set(["thaw", "abort"]);
const longestName = 24;
const bars = { shortest: 8, longest: 40 } as const;

interface Axis {
  from: number;
  to: number;
}

function chartLines(rows: readonly Row[], axis: Axis, look: TerminalStyle): string[] {
  const named = rows.map((row) => ({ ...row, names: row.names.map((name) => shortened(name)) }));
  const names = widthsOf(named.map((row) => row.names));
  const times = widthsOf(named.map((row) => row.times));
  const used = [...names, ...times].reduce((sum, width) => sum + width + 2, 2);
  const room = Math.max(bars.shortest, Math.min(bars.longest, look.columns - used));
  return named.flatMap((row) => {
    const cells = [
      ...row.names.map((name, at) => name.padEnd(names[at] ?? 0)),
      ...row.times.map((time, at) => time.padStart(times[at] ?? 0)),
    ];
    const line = [...cells, barOf(row, axis, room)].join("  ");
    if (!row.isFailed) return [`  ${line}`];
    const reason = wrapText(row.reason ?? "", look.columns - 4).filter((part) => part !== "");
    return [`✗ ${line}`, ...reason.map((part) => `    ${part}`)].map((failed) => look.paint("red", failed));
  });
}

function barOf({ from, to, fill }: Row, axis: Axis, room: number): string {
  const scale = axis.to > axis.from ? room / (axis.to - axis.from) : 0;
  const at = (ms: number): number => Math.max(0, Math.min(room, Math.round((ms - axis.from) * scale)));
  const start = Math.min(room - 1, at(from));
  return " ".repeat(start) + fill.repeat(Math.max(1, at(to) - start));
}

function widthsOf(rows: readonly string[][]): number[] {
  const columns = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
}

const shortened = (name: string): string => (name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name);
