/** Which tests the arguments of a test run name. All paths that it gives are of the repository. */
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { editDistance } from "#core/base/schema/nearest.js";
import { isFast } from "./fast.js";
import { testsOfSource } from "./mirror.js";
import { repository } from "./support/repository.js";

export interface Selection {
  /** Tests that run here. */
  tests: readonly string[];
  /** Names of tests that run in a guest. */
  lab: readonly string[];
}

/** An argument that names nothing. The message is for the user. */
export class NoSuchTest extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NoSuchTest";
  }
}

const labFolder = path.join("test", "lab", "tests");
const labSuffix = ".lab.ts";

/** Every source test, below test/. */
export const allTests: readonly string[] = readdirSync(path.join(repository, "test"), {
  recursive: true,
  encoding: "utf8",
})
  .filter((file) => !file.startsWith("dist") && (file.endsWith(".test.ts") || file.endsWith(labSuffix)))
  .map((file) => path.join("test", file))
  .toSorted();

const isLab = (file: string): boolean => file.endsWith(labSuffix);
const testsIn = (folder: string): string[] => allTests.filter((file) => file.startsWith(`${folder}/`));

/**
 * No arguments: every test that runs here. `--fast`: those that need no server, no root and no kernel. Else paths: of source tests,
 * compiled tests, folders, and of sources. `from`: the folder that they are relative to, beside the repository and test/.
 */
export function select(args: readonly string[], from: string): Selection {
  const everything = allTests.filter((file) => !isLab(file));
  if (args.length === 0) return { tests: everything, lab: [] };
  if (args.length === 1 && args[0] === "--fast") return { tests: everything.filter((file) => isFast(file)), lab: [] };
  const option = args.find((arg) => arg.startsWith("-"));
  if (option !== undefined)
    throw new NoSuchTest(`Option ${option} cannot be used here. Give --fast alone, or paths of tests and sources.`);
  const found = new Set(args.flatMap((arg) => testsNamed(arg, from)));
  return {
    tests: [...found].filter((file) => !isLab(file)).toSorted(),
    lab: [...found].filter((file) => isLab(file)).map((file) => path.basename(file, labSuffix)),
  };
}

function testsNamed(arg: string, from: string): string[] {
  for (const base of [from, repository, path.join(repository, "test")]) {
    const file = path.relative(repository, path.resolve(base, arg)).replace(/\/$/, "");
    const found = file.startsWith("..") ? [] : testsAt(sourceOf(file));
    if (found.length > 0) return found;
  }
  throw new NoSuchTest(`No test belongs to ${arg}.${similarTo(arg)}`);
}

/** The source of a compiled file in test/dist. */
function sourceOf(file: string): string {
  const compiled = /^test\/dist\/(.*?)(?:\.js)?$/.exec(file)?.[1];
  return compiled === undefined ? file : path.join("test", file.endsWith(".js") ? `${compiled}.ts` : compiled);
}

function testsAt(file: string): string[] {
  if (allTests.includes(file)) return [file];
  if (file === "test" || file.startsWith("test/")) {
    const named = allTests.filter((test) => test === `${file}.test.ts` || test === `${file}${labSuffix}`);
    // The tests in the laboratory are run there by the tests of test/lab: only their own folder means each of them.
    const below = testsIn(file).filter((test) => !isLab(test) || file.startsWith(labFolder));
    return [...named, ...below];
  }
  const absolute = path.join(repository, file);
  if (!existsSync(absolute)) return [];
  const tests = testsOfSource(file, statSync(absolute).isFile(), (folder, where) =>
    testsIn(folder).some((test) => where === "anywhere" || path.dirname(test) === folder),
  );
  return tests.flatMap((test) => (allTests.includes(test) ? [test] : testsIn(test)));
}

/** How many similar paths are listed. */
const SIMILAR = 5;

function similarTo(arg: string): string {
  const wanted = stem(arg);
  const folders = new Set(allTests.map((file) => path.dirname(file)));
  const near = [...allTests, ...folders]
    .map((file) => ({ file, distance: distanceOf(wanted, stem(file)) }))
    .filter(({ distance }) => distance <= Math.max(1, wanted.length / 3))
    .toSorted((a, b) => a.distance - b.distance || a.file.localeCompare(b.file))
    .slice(0, SIMILAR);
  return near.length === 0 ? "" : ` Similar paths:\n${near.map(({ file }) => `  ${file}`).join("\n")}`;
}

/** The last part of a path without its endings. */
const stem = (file: string): string => path.basename(file).replace(/(?:\.(?:test|lab))?\.[jt]s$/, "");

/** A name that contains the other is as near as one with a wrong letter. */
function distanceOf(a: string, b: string): number {
  if (a !== b && Math.min(a.length, b.length) > 2 && (b.includes(a) || a.includes(b))) return 1;
  return editDistance(a, b);
}
