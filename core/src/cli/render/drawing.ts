import type { Span } from "../../base/schema/types.js";
import { duration } from "../../base/display/units.js";

/** What a drawing shows. */
export interface DrawingSubject {
  title: string;
  /** The sentence that names the cause, in red at the top. */
  culprit: string | null;
  spans: readonly Span[];
}

export const width = 960;
const left = 270;
const right = 170;
const rowHeight = 22;
const colours: Readonly<Record<string, string>> = {
  freeze: "#2b6cb0",
  thaw: "#2b6cb0",
  hold: "#6b46c1",
  commit: "#6b46c1",
  release: "#6b46c1",
  abort: "#c05621",
};
const plain = "#718096";
const bad = "#c53030";
const frozenColour = "#bee3f8";
/** What a colour means. */
const meanings = [
  ["freeze, thaw", "#2b6cb0"],
  ["from freeze to thaw", frozenColour],
  ["the snapshot is taken", "#6b46c1"],
  ["undo", "#c05621"],
  ["other calls", plain],
  ["failed", bad],
] as const;

/**
 * The calls of a transaction as bars, in the order of their starts: first those during the freeze, on a separate axis, then all.
 * A vertical line is a call's limit. A failed call is red and has its reason.
 */
export function drawing({ title, culprit, spans }: DrawingSubject): string {
  const parts: string[] = [];
  let y = 30;
  const write = (text: string, size: number, colour: string, weight = "normal"): void => {
    for (const line of lines(text, Math.floor((width - 20) / (size * 0.56)))) {
      parts.push(
        `<text x="10" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escape(line)}</text>`,
      );
      y += size * 1.4;
    }
  };
  write(title, 18, "#1a202c", "bold");
  if (culprit !== null) write(`✗ ${culprit}`, 16, bad, "bold");
  for (const { heading, axis, rows } of panels(spans)) {
    y += 14;
    write(heading, 14, "#1a202c", "bold");
    parts.push(
      ...ticks(axis, y, rows.length),
      ...rows.map((span, at) => {
        const top = y + 16 + at * rowHeight;
        return frozenBar(span, spans, axis, top) + bar(span, axis, top);
      }),
    );
    y += 28 + rows.length * rowHeight;
  }
  parts.push(legend(y));
  const height = Math.ceil(y + 20);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

interface Axis {
  from: number;
  to: number;
}

function panels(spans: readonly Span[]): { heading: string; axis: Axis; rows: Span[] }[] {
  const rows = spans.toSorted((a, b) => a.from - b.from || a.to - b.to);
  const all = { from: 0, to: Math.max(1, ...spans.map(({ to }) => to)) };
  const whole = { heading: `All calls, ${duration(all.to)}`, axis: all, rows };
  const freezes = spans.filter(({ op }) => op === "freeze");
  if (freezes.length === 0) return [whole];
  const from = Math.min(...freezes.map((span) => span.from));
  const frozen = new Set(freezes.map(({ actor }) => actor));
  const ends = spans.filter(({ op, actor, to }) => frozen.has(actor) && endings.has(op) && to > from);
  const to = ends.length === 0 ? all.to : Math.max(...ends.map((span) => span.to));
  const during = rows.filter((span) => span.to >= from && span.from <= to && span.op !== "prepare");
  return [
    {
      heading: `From freeze to thaw, ${duration(to - from)}`,
      axis: { from, to: Math.max(to, from + 1) },
      rows: during,
    },
    whole,
  ];
}

/** Calls after which an application runs again. */
const endings: ReadonlySet<string> = new Set(["thaw", "abort"]);

/** From a freeze to the end of the call that ended it: the application was frozen during that time. */
function frozenBar(span: Span, spans: readonly Span[], axis: Axis, y: number): string {
  const end = spans.find(({ op, actor, from }) => actor === span.actor && endings.has(op) && from >= span.to);
  if (span.op !== "freeze" || span.outcome === "failed" || end === undefined) return "";
  const x = xOf(span.from, axis);
  return `<rect x="${fixed(x)}" y="${y + 3}" width="${fixed(xOf(end.to, axis) - x)}" height="8" fill="${frozenColour}"/>`;
}

const xOf = (ms: number, { from, to }: Axis): number =>
  left + ((Math.min(to, Math.max(from, ms)) - from) / (to - from)) * (width - left - right);

function bar(span: Span, axis: Axis, y: number): string {
  const { actor, op, from, to, limitMs, outcome, reason } = span;
  const isBad = outcome === "failed";
  const colour = isBad ? bad : (colours[op] ?? plain);
  const x = xOf(from, axis);
  const length = Math.max(2, xOf(to, axis) - x);
  const limit = from + limitMs;
  const line =
    limit <= axis.to ? `<path d="M${fixed(xOf(limit, axis))} ${y - 3}v20" stroke="#1a202c" stroke-width="2"/>` : "";
  const label = `${isBad ? "✗ " : ""}${actor}: ${op}`;
  const time = `${duration(to - from)} of ${duration(limitMs)}`;
  const text = isBad ? `fill="${bad}" font-weight="bold"` : 'fill="#2d3748"';
  return [
    `<g><title>${escape(reason === undefined ? `${label}, ${time}` : `${label}: ${reason}`)}</title>`,
    `<text x="${left - 10}" y="${y + 11}" font-size="12" text-anchor="end" ${text}>${escape(shortened(label))}</text>`,
    `<rect x="${fixed(x)}" y="${y}" width="${fixed(length)}" height="14" rx="2" fill="${colour}"/>${line}`,
    `<text x="${width - right + 10}" y="${y + 11}" font-size="12" ${text}>${escape(time)}</text></g>`,
  ].join("");
}

function ticks(axis: Axis, y: number, rows: number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = axis.from + share * (axis.to - axis.from);
    const x = fixed(xOf(at, axis));
    const text = `<text x="${x}" y="${fixed(y + 4)}" font-size="10" text-anchor="middle" fill="#718096">${duration(at)}</text>`;
    return `${text}<path d="M${x} ${fixed(y + 8)}v${rows * rowHeight + 4}" stroke="#e2e8f0"/>`;
  });
}

function legend(y: number): string {
  let x = 10;
  const signs = meanings.map(([meaning, colour]) => {
    const sign = `<rect x="${x}" y="${fixed(y - 9)}" width="10" height="10" fill="${colour}"/>`;
    const text = `<text x="${x + 15}" y="${fixed(y)}" font-size="11" fill="#4a5568">${meaning}</text>`;
    x += 40 + meaning.length * 6;
    return sign + text;
  });
  const line = `<path d="M${x + 5} ${fixed(y - 11)}v14" stroke="#1a202c" stroke-width="2"/>`;
  return `${signs.join("")}${line}<text x="${x + 15}" y="${fixed(y)}" font-size="11" fill="#4a5568">limit</text>`;
}

const longest = 34;
const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
const fixed = (value: number): string => value.toFixed(1);

function lines(text: string, columns: number): string[] {
  const broken: string[] = [];
  for (const word of text.split(" ")) {
    const last = broken.at(-1);
    if (last === undefined || last.length + word.length + 1 > columns) broken.push(word);
    else broken[broken.length - 1] = `${last} ${word}`;
  }
  return broken;
}

/** Names and reasons come from plugins: they are text, whatever they hold. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}
