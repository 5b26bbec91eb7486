/** Runs one bench in a process of its own, so that what an earlier one has left in memory slows it neither down nor up: `one.js NAME [quick]`. */
import { all } from "./all.js";

const [name, quick] = process.argv.slice(2);
const bench = all.find((one) => one.name === name);
if (bench === undefined) throw new Error(`there is no bench ${name}`);
const begun = performance.now();
const say = (text: string): void =>
  void process.stderr.write(
    `${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${bench.name}: ${text}\n`,
  );
const results = await bench.run({ quick: quick === "quick", say });
process.send?.(results, () => process.disconnect());
