/** A plugin's folder is all of a plugin: it is copied, pinned and trusted as a whole. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { repository } from "../support/repository.js";
import { tempDir } from "../support/storage/temp.js";

const plugins = path.join(repository, "plugins");
const bundled = readdirSync(plugins).filter((name) => existsSync(path.join(plugins, name, "plugin.json")));

test("all bundled plugins are found", () => {
  assert.ok(bundled.length >= 7, bundled.join());
});

for (const name of bundled) {
  test(`${name} loads from a copy of its folder, with only the dependencies that it declares`, (t) => {
    const folder = path.join(tempDir(t), name);
    cpSync(path.join(plugins, name), folder, { recursive: true });
    const { dependencies = {} } = readJson(path.join(folder, "package.json")) as Package;
    for (const dependency of Object.keys(dependencies)) install(dependency, folder);
    const { main, kind } = readJson(path.join(folder, "plugin.json")) as { main: string; kind: string };
    const load = "const { default: plugin } = await import(process.argv[1]); console.log(Object.keys(plugin).join());";
    const program = ["--input-type=module", "-e", load, path.join(folder, main)];
    const methods = execFileSync(process.execPath, program, { cwd: "/", encoding: "utf8" }).trim().split(",");
    assert.ok(methods.includes(kind === "writer" ? "freeze" : "match"), methods.join());
    const links = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      lstatSync(path.join(folder, file)).isSymbolicLink(),
    );
    assert.deepEqual(links, []);
  });
}

test("the kit that the examples carry is the kit of the plugins", () => {
  const examples = path.join(repository, "core/examples");
  const carried = readdirSync(examples, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\/kit\/[^/]+\.js$/.test(file),
  );
  assert.ok(carried.length >= 2, carried.join());
  for (const file of carried) {
    const own = readFileSync(path.join(repository, "core/dist/kit", path.basename(file)), "utf8");
    // The formatter indents the copies in another way.
    assert.deepEqual(readFileSync(path.join(examples, file), "utf8").split(/\s+/), own.split(/\s+/), file);
  }
});

interface Package {
  dependencies?: Record<string, string>;
}

/** As npm does: with all that the package depends on. */
function install(name: string, folder: string): void {
  const [from, to] = [repository, folder].map((dir) => path.join(dir, "node_modules", name)) as [string, string];
  if (existsSync(to)) return;
  cpSync(from, to, { recursive: true, dereference: true });
  const { dependencies = {} } = readJson(path.join(to, "package.json")) as Package;
  const missing = Object.keys(dependencies).filter((one) => !existsSync(path.join(to, "node_modules", one)));
  for (const dependency of missing) install(dependency, folder);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
