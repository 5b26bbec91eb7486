/**
 * Runs every compiled test and ends with one plain line: N passed, N failed, N skipped. Arguments: parts of file names to run.
 *
 * All that tests make lies in one temporary folder, with mounts and loop devices on it: what is left there fails the run.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { run } from "node:test";
import { spec as Spec } from "node:test/reporters";
import { clearGround, layGround } from "./support/process/leftovers.js";
import { kernelFailure } from "./lab/kernel-failure.js";
import { enterOwnNamespace } from "./support/process/own-namespace.js";

/** As many are named at the end: where to look when the whole takes too long. */
const SLOWEST = 10;

await enterOwnNamespace();

const here = import.meta.dirname;
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.js"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted()
  .map((file) => path.join(here, file));

const ground = layGround();
const tally = { passed: 0, failed: 0, skipped: 0 };
/** How long the tests of each file took, ms. */
const took = new Map<string, number>();

/** Failures of user-mode kernels, which are no failures of tests: what ran there was run once more. */
let kernelFailures = 0;

const stream = run({ files, concurrency: 2, timeout: 30 * 60_000 });
stream.on("test:pass", (data) => {
  if (data.nesting === 0 && data.file !== undefined)
    took.set(data.file, (took.get(data.file) ?? 0) + data.details.duration_ms);
  if (data.details.type === "suite" || isFile(data)) return;
  if (data.skip === undefined) tally.passed += 1;
  else tally.skipped += 1;
});
stream.on("test:fail", (data) => {
  if (data.details.type === "suite") return;
  tally.failed += 1;
  process.exitCode = 1;
});
stream.on("test:diagnostic", ({ message }) => {
  if (message.startsWith(kernelFailure)) kernelFailures += 1;
});
const told = stream.compose<Spec>(new Spec());
told.pipe(process.stdout);
told.on("end", () => {
  void clearGround(ground).then((left) => {
    for (const what of left) console.log(`left behind: ${what}`);
    if (left.length > 0) process.exitCode = 1;
    if (took.size > SLOWEST) console.log(`\nthe slowest files:\n${slowest().join("\n")}`);
    if (kernelFailures > 0) console.log(`\nkernels of guests that failed: ${kernelFailures}`);
    console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  });
});

function slowest(): string[] {
  const sorted = [...took].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
  return sorted.map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${path.relative(here, file)}`);
}

function isFile(data: { name: string; nesting: number }): boolean {
  return data.nesting === 0 && files.includes(data.name);
}
