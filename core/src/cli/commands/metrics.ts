import { renameSync, writeFileSync } from "node:fs";
import { command, noOperands } from "../parse/command.js";
import { withUsageOf, usageOption } from "./parts/usage.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { metricsText } from "../render/metrics.js";

export const metrics = command({
  usage: "[--usage] [--file FILE]",
  about:
    "Figures for Prometheus, in its text format: transactions by how they ended, who failed, durations and limits of the last calls, how long writers were still, age and size of the sets and, with --usage, how full their room is. With --file they are written at once, for the node exporter's textfile collector.",
  operands: noOperands,
  options: {
    usage: usageOption,
    file: { type: "text", value: "FILE", about: "into this file, which is replaced as a whole" },
  },
  examples: [
    { line: "holdstill metrics", does: "what there is" },
    {
      line: "holdstill metrics --file /var/lib/prometheus/node-exporter/holdstill.prom",
      does: "after each night's run",
    },
  ],
  async run({ form, values: { usage, file }, connect }) {
    const requester = await connect(usage ? "workers" : "catalog");
    const { sets } = await requester.list();
    const text = metricsText(await requester.history(), usage ? await withUsageOf(requester, sets) : sets);
    if (file !== undefined) replace(file, text);
    if (form === "json") printDocument("metrics", { text });
    else if (file === undefined) print(text.trimEnd().split("\n"));
    return 0;
  },
});

function replace(file: string, text: string): void {
  try {
    writeFileSync(`${file}.draft`, text, { mode: 0o644 });
    renameSync(`${file}.draft`, file);
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name another file.",
    );
  }
}
