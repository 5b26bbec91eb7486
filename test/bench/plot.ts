import { median, type Result, short } from "./samples.js";

const size = { width: 900, bar: 18, gap: 4, left: 410, right: 90, top: 44 };
const colours = { ours: "#1f6feb", others: "#8b949e", spread: "#24292f" };

/** Whether there is something to compare: what has different units is on no common axis. */
export const isDrawn = ({ rows }: Result): boolean =>
  rows.length > 1 && new Set(rows.map(({ unit }) => unit)).size === 1;

/** Bars of the medians on a logarithmic axis, by case, ours in blue; a line from the smallest sample to the largest. */
export function plot({ bench, about, ours, rows }: Result): string {
  const medians = rows.map(({ samples }) => atLeast(median(samples)));
  const least = atLeast(Math.min(...rows.flatMap(({ samples }) => samples)));
  const most = Math.max(...rows.flatMap(({ samples }) => samples));
  const low = Math.max(Math.log10(least), Math.log10(Math.min(...medians)) - 1) - 0.1;
  const scale = (size.width - size.left - size.right) / Math.max(Math.log10(most) - low, 0.1);
  const wide = (value: number): number => Math.max(2, (Math.log10(atLeast(value)) - low) * scale);
  let y = size.top;
  let last = "";
  const bars = rows.map((row, at) => {
    if (last !== "" && last !== row.case) y += size.bar;
    last = row.case;
    const value = medians[at] ?? 0;
    const [from, to] = [wide(Math.min(...row.samples)), wide(Math.max(...row.samples))];
    const width = wide(value);
    const text = y + size.bar - 5;
    const middle = y + size.bar / 2;
    const isOurs = row.way === ours || row.way.startsWith(`${ours},`);
    const parts = [
      `<text x="${size.left - 8}" y="${text}" text-anchor="end">${escaped(`${row.case}: ${row.way}`)}</text>`,
      `<rect x="${size.left}" y="${y}" width="${width.toFixed(1)}" height="${size.bar}" fill="${isOurs ? colours.ours : colours.others}"/>`,
      `<path d="M${(size.left + from).toFixed(1)} ${middle}H${(size.left + to).toFixed(1)}" stroke="${colours.spread}" stroke-width="1.5"/>`,
      `<text x="${(size.left + Math.max(width, to) + 6).toFixed(1)}" y="${text}">${short(value)} ${row.unit}</text>`,
    ];
    y += size.bar + size.gap;
    return parts.join("");
  });
  const head = `<text x="12" y="24" font-weight="bold">${escaped(`${bench}: ${about}`)} (logarithmic)</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${y + 12}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    head,
    ...bars,
    "</svg>",
    "",
  ].join("\n");
}

/** A logarithm has no zero; and what took less was not measured that finely. */
const atLeast = (value: number): number => Math.max(value, 0.01);

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
