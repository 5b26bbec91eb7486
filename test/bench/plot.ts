import { median, type Result, short } from "./samples.js";

const size = { width: 900, bar: 18, gap: 4, left: 410, right: 90, top: 44 };
const colours = { ours: "#1f6feb", others: "#8b949e" };

/** Bars on a logarithmic axis, by case; ours in blue. */
export function plot({ bench, about, ours, rows }: Result): string {
  const medians = rows.map(({ samples }) => Math.max(median(samples), 0.01));
  const [low, high] = [Math.log10(Math.min(...medians)) - 0.3, Math.log10(Math.max(...medians))];
  const scale = (size.width - size.left - size.right) / Math.max(high - low, 0.1);
  let y = size.top;
  let last = "";
  const bars = rows.map((row, at) => {
    if (last !== "" && last !== row.case) y += size.bar;
    last = row.case;
    const value = medians[at] ?? 0;
    const width = Math.max(2, (Math.log10(value) - low) * scale);
    const text = y + size.bar - 5;
    const parts = [
      `<text x="${size.left - 8}" y="${text}" text-anchor="end">${escaped(`${row.case}: ${row.way}`)}</text>`,
      `<rect x="${size.left}" y="${y}" width="${width.toFixed(1)}" height="${size.bar}" fill="${row.way === ours ? colours.ours : colours.others}"/>`,
      `<text x="${(size.left + width + 6).toFixed(1)}" y="${text}">${short(value)} ${row.unit}</text>`,
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

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
