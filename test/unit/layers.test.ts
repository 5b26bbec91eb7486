import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";

const source = path.resolve(import.meta.dirname, "../../../core/src");

/** What each folder may import from; DESIGN's direction, which has no circle. The entry files at the top may use all. */
const mayUse: Record<string, string[]> = {
  schema: [],
  system: [],
  servers: [],
  errors: ["schema"],
  display: ["schema"],
  events: ["schema"],
  page: ["display", "schema", "transaction"],
  plugin: ["schema"],
  trust: ["errors", "schema"],
  exec: ["errors", "plugin", "schema", "system"],
  log: ["errors"],
  config: ["errors", "schema", "trust"],
  manifest: ["config", "errors", "schema", "trust"],
  storage: ["errors", "schema"],
  catalog: ["errors", "schema"],
  keeper: ["errors", "schema", "storage", "system"],
  isolation: ["errors", "exec", "plugin", "schema", "system", "trust"],
  crew: ["errors", "isolation", "manifest", "schema", "trust"],
  plan: ["config", "crew", "errors", "isolation", "keeper", "manifest", "schema", "storage"],
  transaction: [
    "catalog",
    "config",
    "crew",
    "errors",
    "events",
    "isolation",
    "keeper",
    "plan",
    "plugin",
    "schema",
    "system",
  ],
  requester: [
    "catalog",
    "config",
    "crew",
    "errors",
    "events",
    "exec",
    "isolation",
    "keeper",
    "log",
    "manifest",
    "plan",
    "plugin",
    "schema",
    "servers",
    "storage",
    "system",
    "transaction",
  ],
  service: ["catalog", "config", "errors", "log", "plan", "requester", "schema", "system", "transaction", "trust"],
  scaffold: ["errors"],
  conformance: [
    "config",
    "errors",
    "exec",
    "isolation",
    "keeper",
    "manifest",
    "plan",
    "plugin",
    "schema",
    "storage",
    "system",
    "transaction",
    "trust",
  ],
  cli: [
    "conformance",
    "scaffold",
    "catalog",
    "display",
    "errors",
    "events",
    "isolation",
    "manifest",
    "plan",
    "plugin",
    "requester",
    "schema",
    "service",
    "system",
    "transaction",
    "config",
  ],
};

/** The one place that each dependency is imported in. */
const importers: Record<string, string> = {
  ajv: "schema/compile.ts",
  cosmiconfig: "config/load.ts",
  execa: "exec/exec.ts",
  fastify: "service/server.ts",
  koffi: "system/libc.ts",
  pino: "log/log.ts",
  semver: "manifest/versions.ts",
  tinypool: "isolation/pool.ts",
  yaml: "config/document.ts",
};

interface Import {
  from: string;
  to: string;
}

const imports = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .flatMap((from): Import[] => {
    const text = readFileSync(path.join(source, from), "utf8");
    return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, to = ""]) => ({
      from,
      to: to.startsWith(".") ? path.join(path.dirname(from), to) : to,
    }));
  });

const folder = (file: string): string | null => (file.includes(path.sep) ? (file.split(path.sep)[0] ?? null) : null);

test("imports between folders go in the direction of the design", () => {
  const wrong = imports.filter(({ from, to }) => {
    const [ours, theirs] = [folder(from), folder(to)];
    if (ours === null || theirs === null || ours === theirs || !(theirs in mayUse)) return false;
    return !(mayUse[ours] ?? []).includes(theirs);
  });
  assert.deepEqual(wrong, []);
});

test("the folders that are allowed make no circle, and all of them exist", () => {
  const order: string[] = [];
  const visit = (name: string, way: readonly string[]): void => {
    assert.ok(!way.includes(name), `a circle: ${[...way, name].join(" → ")}`);
    if (order.includes(name)) return;
    for (const next of mayUse[name] ?? []) visit(next, [...way, name]);
    order.push(name);
  };
  for (const name of Object.keys(mayUse)) visit(name, []);
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map((entry) => entry.name).toSorted(), order.toSorted());
});

test("no two files import each other, not even by way of others", () => {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (!to.endsWith(".js")) continue;
    graph.set(from, [...(graph.get(from) ?? []), to.replace(/\.js$/, ".ts")]);
  }
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `a circle: ${[...way, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const to of graph.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

test("each dependency is imported in one place", () => {
  for (const [dependency, importer] of Object.entries(importers)) {
    const users = imports
      .filter(({ to }) => to === dependency || to.startsWith(`${dependency}/`))
      .map(({ from }) => from);
    assert.deepEqual([...new Set(users)], [importer], dependency);
  }
});
