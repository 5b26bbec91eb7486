/**
 * Measures holdstill next to what people use today, and writes test/bench/RESULTS.md, its plots and the raw samples beside it.
 *
 *   npm run bench [-- NAME…] [--quick] [--json]
 *
 * With --quick, or with names, nothing is written: only a whole run on a quiet machine is worth keeping.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { removeTestFolder, makeTestFolder } from "../support/process/leftovers.js";
import { all } from "./all.js";
import { machine } from "./machine.js";
import { isDrawn, plot } from "./plot.js";
import { plotOf, type Result, scripts as folder } from "./samples.js";
import { sweep } from "./sweep.js";
import { report, tables } from "./tables.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const names = all.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(", ")}, but ${names.join(", ")}`);

// The bench gets the signal, too; what it cannot take away in a hurry is left to us.
let interrupted = false;
let running: ChildProcess | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    interrupted = true;
    running?.kill("SIGTERM");
  });

const outer = tmpdir();
const around = machine();
const results: Result[] = [];
const failed: string[] = [];
for (const name of positionals.length === 0 ? names : positionals) {
  process.env["TMPDIR"] = outer;
  const ground = makeTestFolder();
  const measured = await inItsOwnProcess(name);
  if (measured === undefined) failed.push(name);
  else results.push(...measured);
  for (const what of await removeTestFolder(ground)) failed.push(`${name} left ${what}`);
  sweep(ground);
  if (interrupted) process.exit(130);
}

const document = `${JSON.stringify({ machine: around, results }, null, 2)}\n`;
const text = tables(results);
process.stdout.write(values.json ? document : `${text}\n`);
if (failed.length > 0) {
  process.stderr.write(`bench: failed: ${failed.join("; ")}\n`);
  process.exitCode = 1;
} else if (!values.quick && positionals.length === 0) {
  writeFileSync(path.join(folder, "results.json"), document);
  for (const result of results.filter(isDrawn)) writeFileSync(path.join(folder, plotOf(result)), plot(result));
  writeFileSync(path.join(folder, "RESULTS.md"), report(around, results));
}

/** Its results, or undefined where it failed; the reason is on stderr. */
async function inItsOwnProcess(name: string): Promise<Result[] | undefined> {
  const child = fork(path.join(import.meta.dirname, "one.js"), [name, ...(values.quick ? ["quick"] : [])]);
  running = child;
  let answer: Result[] | undefined;
  child.once("message", (message) => (answer = message as unknown as Result[]));
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0 ? answer : undefined;
}
