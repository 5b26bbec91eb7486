/** The tables of the README, by which a person sees whether a server can use it: every bundled plugin is in one of them. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { repository } from "../support/repository.js";

const readme = readFileSync(path.join(repository, "README.md"), "utf8");
const plugins = readdirSync(path.join(repository, "plugins")).filter((name) =>
  existsSync(path.join(repository, "plugins", name, "plugin.json")),
);

test("every bundled plugin is in a table of the README, and leads to its own page", () => {
  const rows = readme.split("\n").filter((line) => line.startsWith("|"));
  const missing = plugins.filter((name) => !rows.some((row) => row.includes(`[${name}](plugins/${name}`)));
  assert.deepEqual(missing, []);
});

test("what the README installs is what this repository makes", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
  assert.match(readme, /npm run package\napt install \.\/packaging\/dist\/holdstill_\*\.deb /);
});
