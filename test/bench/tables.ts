import { comparison } from "./expected.js";
import { isDrawn } from "./plot.js";
import { median, plotOf, quantile, type Result, type Row, short } from "./samples.js";

/** The whole of RESULTS.md. */
export function report(machine: Readonly<Record<string, string>>, results: readonly Result[]): string {
  return [
    "# Results",
    "",
    "What `npm run bench` measured last, all in one run, each bench in a process of its own. Medians, with the smallest and the largest and the number of samples; all samples are in [results.json](results.json).",
    "",
    ...Object.entries(machine).map(([what, is]) => `- ${what}: ${is}`),
    "",
    "## Expected and measured",
    "",
    comparison(results),
    "",
    ...results.flatMap((result) => [table(result), "", ...(isDrawn(result) ? [picture(result), ""] : [])]),
  ].join("\n");
}

const picture = (result: Result): string => `![${result.bench}](${plotOf(result)})`;

/** A table in Markdown for each result: a line for each case and way. */
export const tables = (results: readonly Result[]): string => results.map((result) => table(result)).join("\n\n");

function table({ bench, about, ours, rows }: Result): string {
  const lines = rows.map((row) => {
    const own = rows.find((other) => other.case === row.case && other.way === ours && other.unit === row.unit);
    const times = own === undefined || own === row ? Number.NaN : median(row.samples) / median(own.samples);
    const ratio = Number.isFinite(times) ? `${short(times)}×` : "";
    return `| ${[row.case, row.way, value(row), spread(row), p99(row), ratio].join(" | ")} |`;
  });
  const head = ["case", "way", "median", "smallest … largest", "p99", `÷ ${ours}`];
  return [`## ${bench}: ${about}`, "", `| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines].join(
    "\n",
  );
}

const value = ({ samples, unit }: Row): string => `${short(median(samples))} ${unit}`;
const spread = ({ samples }: Row): string =>
  `${short(Math.min(...samples))} … ${short(Math.max(...samples))} (${samples.length})`;
const p99 = ({ samples }: Row): string => (samples.length < 20 ? "" : short(quantile(samples, 0.99)));
