/** Providers in other languages, installed by copying a folder, in a set with a real server under load. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { createPlugin, type Language } from "#core/host/scaffold/create.js";
import { buildGo, goIsMissing } from "../support/process/go.js";
import { holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { leavesNothing, loadOn, serverWithLedger } from "../support/server/postgres-snapshot.js";
import { tempDir } from "../support/storage/temp.js";

for (const [language, skip] of [
  ["python", missingPostgres()],
  ["go", goIsMissing === false ? missingPostgres() : goIsMissing],
] as const)
  test(
    `a provider in ${language} captures PostgreSQL under load, pinned by the lock, and the server opens the snapshot`,
    { skip },
    (t) => captures(t, language),
  );

async function captures(t: TestContext, language: Language): Promise<void> {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const folder = path.join(dir, "plugins/acme");
  for (const one of [path.dirname(folder), path.join(dir, "store")]) mkdirSync(one);
  createPlugin({ kind: "provider", name: "acme", language, dir: folder });
  if (language === "go") buildGo(folder);
  const server = await serverWithLedger(t, {});
  const load = await loadOn(t, server);
  const config = path.join(dir, "holdstill.json");
  const options = { host: server.socketDir, port: server.port, checkpoint: "fast" };
  const plugins = [
    { use: "writer-postgres", as: "pg", options },
    { use: "acme", options: { store: path.join(dir, "store") } },
  ];
  const settings = { pluginPaths: ["plugins"], stateDir: "state", exposeDir: "exposed", plugins };
  writeFileSync(config, JSON.stringify(settings));
  const on = async (...args: string[]): Promise<unknown> => {
    const run = await holdstill([...args, "--json", "--config", config]);
    assert.equal(run.exitCode, 0, run.stderr + run.stdout);
    return run.json();
  };
  onEnd(t, async () => void (await holdstill(["delete", "latest", "--yes", "--config", config])));

  await on("plugins", "lock");
  const { plugins: listed } = (await on("plugins", "list")) as { plugins: { runtime: string }[] };
  assert.deepEqual(listed.map(({ runtime }) => runtime).toSorted(), ["executable", "node"]);
  await on("create", "writer:pg", "--require", "application");
  await load.stop();
  const set = (await on("show", "latest")) as SnapshotSet;
  assert.deepEqual([set.consistency, set.cut], ["application", "fuzzy"]);
  assert.equal(set.snapshots[0]?.by.plugin, "acme");
  const { verified } = (await on("verify", "latest")) as { verified: { result: string }[] };
  assert.deepEqual(
    verified.map(({ result }) => result),
    ["opens"],
  );
  // What the program has left beside its code would differ from the lock.
  await on("plugins", "lock", "--check");
  await on("delete", "latest", "--yes");
  await leavesNothing(server);
}
