import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import type { DetectedServer, PluginManifest } from "#core/base/schema/types.js";
import { placeholdersOf, suggestedInstance } from "#core/host/manifest/suggestion.js";
import { readManifest } from "#core/host/manifest/validate.js";
import { bundledManifest } from "../../../support/fixture/bundled-manifest.js";
import { writePlugin } from "../../../support/fixture/plugin-folder.js";
import { tempDir } from "../../../support/storage/temp.js";

const server = (changes: Partial<DetectedServer>): DetectedServer => ({
  title: "it",
  plugin: "it",
  pid: 1,
  dataDir: "/var/lib/it",
  place: "host",
  sockets: [],
  ports: [],
  unit: null,
  ...changes,
});

function suggestionFor(name: string, changes: Partial<DetectedServer>): unknown {
  const manifest = bundledManifest(name);
  const process = manifest.detects?.[0]?.process;
  assert.ok(process);
  return suggestedInstance(manifest, placeholdersOf(server(changes), process));
}

test("the bundled manifests suggest how to connect to their servers", () => {
  const sockets = ["/run/postgresql/.s.PGSQL.5433"];
  assert.deepEqual(suggestionFor("writer-postgres", { dataDir: "/var/lib/postgresql/15/main", sockets }), {
    name: "pg-main",
    options: { host: "/run/postgresql", port: 5433 },
  });
  assert.deepEqual(
    suggestionFor("writer-mysql", { dataDir: "/srv/Shop 1/data", sockets: ["/run/mysqlx.sock", "/run/mysql.sock"] }),
    { name: "mysql-shop-1", options: { socket: "/run/mysql.sock" } },
  );
});

test("an option whose placeholder has no value is left out", () => {
  assert.deepEqual(suggestionFor("writer-postgres", { dataDir: "/d/main" }), { name: "pg-main", options: {} });
});

test("without a suggestion a writer's instance has the plugin's name and that of the data", () => {
  const manifest: PluginManifest = { ...bundledManifest("writer-exec"), suggests: {} };
  assert.equal(suggestedInstance(manifest, { name: "main" }).name, "writer-exec-main");
  assert.deepEqual(suggestedInstance(bundledManifest("provider-lvm")), { name: "provider-lvm", options: {} });
});

test("what a manifest cannot mean is found, each with its place", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "p"), {
    detects: [
      { title: "A", volume: { fsTypes: ["xfs"] } },
      { title: "B" },
      { title: "C", process: { names: ["c"], socket: "(" } },
      { title: "D", process: { names: ["d"], dataDir: [{ from: "argument" }] } },
    ],
    fallback: true,
  });
  const read = await readManifest(path.join(dir, "plugin.json"));
  assert.equal(read.state, "invalid");
  const schema = read.state === "invalid" ? read.findings.map(({ pointer }) => pointer) : [];
  assert.deepEqual(
    schema,
    ["/detects/3/dataDir/0"].map((one) => one.replace("/3/", "/3/process/")),
  );

  const semantic = writePlugin(path.join(tempDir(t), "q"), {
    detects: [
      { title: "A", volume: { fsTypes: ["xfs"] } },
      { title: "B" },
      { title: "C", process: { names: ["c"], socket: "(" } },
    ],
    fallback: true,
  });
  const found = await readManifest(path.join(semantic, "plugin.json"));
  assert.deepEqual(found.state === "invalid" ? found.findings.map(({ pointer }) => pointer) : [], [
    "/detects/0",
    "/detects/1",
    "/detects/2/process/socket",
    "/fallback",
  ]);
});

test("a placeholder that nothing gives a value is found", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "p"), {
    detects: [{ title: "A", process: { names: ["a"], socket: "^a-(?<number>.*)$" } }],
    suggests: { options: { a: "${dataDir} ${number} ${numbr}", b: ["${hostname}"] } },
  });
  const read = await readManifest(path.join(dir, "plugin.json"));
  assert.deepEqual(read.state === "invalid" ? read.findings.map(({ seen }) => seen) : [], ["${numbr}", "${hostname}"]);
});
