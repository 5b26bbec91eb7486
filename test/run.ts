/**
 * Runs tests and ends with one plain line: N passed, N failed, N skipped. Arguments: paths of tests, of folders, or of sources whose
 * tests are to run; or `--fast`. Tests in a guest are handed to the laboratory. Without arguments all run that run here.
 *
 * All that tests make lies in one temporary folder, with mounts and loop devices on it: what is left there fails the run.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { run } from "node:test";
import { spec as Spec } from "node:test/reporters";
import { kernelFailure } from "./lab/kernel-failure.js";
import { NoSuchTest, select, type Selection } from "./selection.js";
import { removeTestFolder, makeTestFolder } from "./support/process/leftovers.js";
import { enterOwnNamespace } from "./support/process/own-namespace.js";

/** As many are named at the end: where to look when the whole takes too long. */
const SLOWEST = 10;

const { tests, lab } = selected();
await enterOwnNamespace();

const here = import.meta.dirname;
const files = tests.map((file) => path.join(here, path.relative("test", file).replace(/\.ts$/, ".js")));
if (lab.length > 0) runLab(lab);
if (files.length === 0) process.exit();

const ground = makeTestFolder();
const tally = { passed: 0, failed: 0, skipped: 0 };
/** How many tests were skipped for each reason. */
const skips = new Map<string, number>();
/** How long the tests of each file took, ms. */
const took = new Map<string, number>();

/** Failures of user-mode kernels, which are no failures of tests: what ran there was run once more. */
let kernelFailures = 0;

const stream = run({ files, concurrency: 2, timeout: 60 * 60_000 });
stream.on("test:pass", (data) => {
  if (data.nesting === 0 && data.file !== undefined)
    took.set(data.file, (took.get(data.file) ?? 0) + data.details.duration_ms);
  if (data.details.type === "suite" || isFile(data)) return;
  if (data.skip === undefined) tally.passed += 1;
  else noteSkip(data.skip);
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
  void removeTestFolder(ground).then((left) => {
    for (const what of left) console.log(`left behind: ${what}`);
    if (left.length > 0) process.exitCode = 1;
    if (skips.size > 0) console.log(`\nskipped:\n${skipped().join("\n")}`);
    if (took.size > SLOWEST) console.log(`\nthe slowest files:\n${slowest().join("\n")}`);
    if (kernelFailures > 0) console.log(`\nkernels of guests that failed: ${kernelFailures}`);
    console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  });
});

function noteSkip(reason: string | boolean): void {
  tally.skipped += 1;
  const text = typeof reason === "string" && reason !== "" ? reason : "without a reason";
  skips.set(text, (skips.get(text) ?? 0) + 1);
}

function skipped(): string[] {
  const sorted = [...skips].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([reason, count]) => `${String(count).padStart(7)}  ${reason}`);
}

function slowest(): string[] {
  const sorted = [...took].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
  return sorted.map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${path.relative(here, file)}`);
}

function isFile(data: { name: string; nesting: number }): boolean {
  return data.nesting === 0 && files.includes(data.name);
}

function selected(): Selection {
  try {
    return select(process.argv.slice(2), process.env["INIT_CWD"] ?? process.cwd());
  } catch (error) {
    if (!(error instanceof NoSuchTest)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

function runLab(names: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [path.join(here, "lab/main.js"), ...names], { stdio: "inherit" });
  if (status !== 0) process.exitCode = status ?? 1;
}
