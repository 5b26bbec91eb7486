/**
 * Measures holdstill next to what people use today, and writes test/bench/RESULTS.md and the raw samples beside it.
 *
 *   npm run bench [-- NAME…] [--quick] [--json]
 *
 * With --quick, or with names, nothing is written: only a whole run on a quiet machine is worth keeping.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { clearGround, layGround } from "../ground.js";
import { abort } from "./abort.js";
import { cli } from "./cli.js";
import { hold } from "./hold.js";
import { machine } from "./machine.js";
import { plot } from "./plot.js";
import type { Bench, Result } from "./samples.js";
import { scale } from "./scale.js";
import { tables } from "./tables.js";

const all: readonly Bench[] = [hold, abort, scale, cli];
const folder = path.resolve(import.meta.dirname, "../../bench");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const wanted = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const ground = layGround();
const around = machine();
const results: Result[] = [];
for (const bench of wanted) {
  const say = (text: string): void => void process.stderr.write(`${bench.name}: ${text}\n`);
  results.push(...(await bench.run({ quick: values.quick, say })));
}
const left = await clearGround(ground);
if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);

const document = `${JSON.stringify({ machine: around, results }, null, 2)}\n`;
const text = tables(results);
process.stdout.write(values.json ? document : `${text}\n`);
if (!values.quick && positionals.length === 0) {
  writeFileSync(path.join(folder, "results.json"), document);
  for (const result of results)
    writeFileSync(path.join(folder, `${result.bench.replaceAll(" ", "-")}.svg`), plot(result));
  const facts = Object.entries(around).map(([what, is]) => `- ${what}: ${is}`);
  const lead =
    "What `npm run bench` measured last, all in one run. Times are medians, with the smallest and the largest.";
  writeFileSync(path.join(folder, "RESULTS.md"), ["# Results", "", lead, "", ...facts, "", text, ""].join("\n"));
}
