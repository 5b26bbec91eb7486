/** Which tests `npm test -- PATH…` runs, and that the tree of tests mirrors the sources. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fastFiles } from "./fast.js";
import { elsewhere } from "./mirror.js";
import { allTests, NoSuchTest, select } from "./selection.js";
import { repository } from "./support/repository.js";

const named = (...args: string[]): readonly string[] => select(args, repository).tests;
/** The message that the arguments are refused with. */
function refused(...args: string[]): string {
  try {
    select(args, repository);
  } catch (error) {
    assert.ok(error instanceof NoSuchTest);
    return error.message;
  }
  return "not refused";
}

const journal = "test/core/store/journal.test.ts";

test("a test is named by its source, its compiled file, or its path below test/", () => {
  for (const arg of [
    journal,
    "test/dist/core/store/journal.test.js",
    "core/store/journal",
    "./test/core/store/journal",
  ])
    assert.deepEqual(named(arg), [journal], arg);
  assert.deepEqual(select(["journal.test.ts"], path.join(repository, "test/core/store")).tests, [journal]);
  assert.deepEqual(named(path.join(repository, journal), journal), [journal], "each runs once");
});

test("a folder names all that is in it, and not what has its name elsewhere", () => {
  const storage = named("test/storage");
  assert.ok(storage.length > 5 && storage.every((file) => file.startsWith("test/storage/")), storage.join(" "));
  assert.deepEqual(named("core/keeper/policy/"), ["test/core/keeper/policy/refusals.test.ts"]);
});

test("a source names the tests of its folder, or those that need more than a folder of sources", () => {
  assert.ok(named("core/src/store/journal.ts").includes(journal));
  assert.deepEqual(named("core/src/installation.ts"), ["test/core/installation.test.ts"]);
  assert.deepEqual(named("plugins/provider-reflink/src"), [
    "test/plugins/provider-reflink/complaints.test.ts",
    "test/plugins/provider-reflink/project-quota.test.ts",
  ]);
  assert.ok(named("core/src/service/http/server.ts").includes("test/features/service/rights.test.ts"));
  assert.ok(named("core/src/cli/commands/prune.ts").includes("test/features/prune.test.ts"));
});

test("a test of the laboratory is named alone, and runs in a guest", () => {
  const guest = select(["test/lab/tests/provider-lvm.lab.ts"], repository);
  assert.deepEqual(guest, { tests: [], lab: ["provider-lvm"] });
  assert.deepEqual(select(["test/lab"], repository).lab, []);
});

test("part of a name is an error with similar paths, and so is an unknown option", () => {
  assert.match(refused("power"), /No test belongs to power\. Similar paths:\n {2}test\/lab\/power-cut/);
  assert.match(refused("test/core/store/jornal.test.ts"), /test\/core\/store\/journal\.test\.ts/);
  assert.match(refused("/etc/passwd"), /No test belongs to \/etc\/passwd\.$/);
  assert.match(refused("--fast", journal), /--fast alone/);
  assert.match(refused("--slow"), /Option --slow/);
});

test("the fast tests are there, and none is of a room that needs a server, root or a kernel", () => {
  for (const file of fastFiles) assert.ok(allTests.includes(file), file);
  const fast = named("--fast");
  assert.ok(fast.includes(journal) && fast.includes("test/docs/links.test.ts"));
  const others = fast.filter((file) => /^test\/(?:servers|storage|lab|chaos)\//.test(file));
  assert.deepEqual(others, []);
});

/** Tests of the whole core, and of all plugins. */
const ofTheWhole = ["test/core", "test/plugins"];

test("the folder of each test in test/core and test/plugins is a folder of sources", () => {
  const wrong = allTests
    .filter((file) => /^test\/(?:core|plugins)\//.test(file) && !ofTheWhole.includes(path.dirname(file)))
    .filter((file) => !existsSync(path.join(repository, sourceFolder(path.dirname(file)))));
  assert.deepEqual(wrong, []);
});

function sourceFolder(folder: string): string {
  const [, kind, first = "", ...rest] = folder.split("/");
  if (kind === "plugins") return path.join("plugins", first, "src", ...rest);
  return first === "tools" ? path.join("core", first, ...rest) : path.join("core/src", first, ...rest);
}

/** Types alone, or what runs in a browser. */
const withoutTests = ["core/src/base", "core/src/service/page/browser"];

test("each folder of sources has tests, in its mirror or where test/mirror.ts says", () => {
  const folders = ["core/src", ...pluginSources()].flatMap((root) => [
    ...(root === "core/src" ? [] : [root]),
    ...readdirSync(path.join(repository, root), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.relative(repository, path.join(entry.parentPath, entry.name))),
  ]);
  assert.ok(folders.length > 30);
  const untested = folders.filter((folder) => !withoutTests.includes(folder) && !hasTests(folder));
  assert.deepEqual(untested, []);
});

function pluginSources(): string[] {
  const plugins = readdirSync(path.join(repository, "plugins"));
  return plugins.map((name) => `plugins/${name}/src`).filter((folder) => existsSync(path.join(repository, folder)));
}

function hasTests(folder: string): boolean {
  try {
    return named(folder).length > 0;
  } catch {
    return false;
  }
}

test("the paths of test/mirror.ts, and those in the README of the tests, exist", () => {
  for (const [source, tests] of Object.entries(elsewhere)) {
    for (const file of [source, ...tests.filter((one) => !one.includes("*"))])
      assert.ok(existsSync(path.join(repository, file)), file);
  }
  const page = readFileSync(path.join(repository, "test/README.md"), "utf8");
  const paths = [...page.matchAll(/`((?:core|plugins|schemas|docs|test)\/[a-z0-9./*-]*)`/g)].map(
    ([, file = ""]) => file,
  );
  assert.ok(paths.length > 20);
  const missing = paths.filter((file) => !existsSync(path.join(repository, file.replace(/\/\*.*$/, ""))));
  assert.deepEqual(missing, []);
});
