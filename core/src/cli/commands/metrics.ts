import { command, noOperands } from "../parse/command.js";
import { writeDurably } from "../../store/state-directory.js";
import { withUsageOf, usageOption } from "./parts/usage.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { metricsText } from "../render/metrics.js";

export const metrics = command({
  about:
    "Prints figures in the text format of Prometheus: transactions by outcome, and the plugin that failed first. They also cover durations and limits of the last calls, how long writers were frozen, and the age and size of the sets. With --usage it adds how full the space of the snapshots is. With --file it replaces FILE at once, for the textfile collector of the node exporter.",
  operands: noOperands,
  options: {
    usage: usageOption,
    file: { type: "text", value: "FILE", about: "write to this file, which is replaced at once" },
  },
  examples: [
    { line: "holdstill metrics", does: "on stdout" },
    {
      line: "holdstill metrics --file /var/lib/prometheus/node-exporter/holdstill.prom",
      does: "for a timer",
    },
  ],
  async run({ form, values: { usage, file }, connect }) {
    const engine = await connect(usage ? "workers" : "catalog");
    const { sets } = await engine.list();
    const now = usage && "withUsage" in engine ? await withUsageOf(engine, sets) : sets;
    const text = metricsText(await engine.history(), now);
    if (file !== undefined) replace(file, text);
    if (form === "json") printDocument("metrics", { text });
    else if (file === undefined) print(text.trimEnd().split("\n"));
    return 0;
  },
});

/** The folder may belong to another user, such as that of the program that reads the file. */
function replace(file: string, text: string): void {
  try {
    writeDurably(file, text, 0o644);
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name another file.",
    );
  }
}
