/** The worked examples of the guide for authors: outside of the workspace, installed by copying a folder. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { checkPlugin } from "holdstill/conformance";
import type { ProviderDocument, SnapshotSet } from "#core/base/schema/types.js";
import { buildGo, goIsMissing } from "../support/process/go.js";
import { holdstill } from "../support/process/command-line.js";
import { loopFs } from "../support/storage/loop-device.js";
import { onEnd } from "../support/process/on-end.js";
import { tempDir } from "../support/storage/temp.js";
import { repository } from "../support/repository.js";

const examples = path.join(repository, "core/examples");

/** Copies a plugin's folder, as an administrator who installs it does. */
function installed(dir: string, name: string): string {
  const folder = path.join(dir, "plugins", name);
  cpSync(path.join(examples, name), folder, { recursive: true });
  if (name.endsWith("-go")) buildGo(folder);
  return folder;
}

const sqlite = (database: string, sql: string): string =>
  execFileSync("sqlite3", ["-batch", "-cmd", ".timeout 10000", database, sql], { encoding: "utf8" }).trim();

/** Rows 1, 2, 3, … each in a transaction of its own, until the test ends. */
function writing(t: TestContext, database: string): void {
  const loop = `while :; do echo 'INSERT INTO t DEFAULT VALUES;'; done`;
  const load = spawn("sh", ["-c", `${loop} | sqlite3 -batch -cmd '.timeout 10000' "$0"`, database], {
    stdio: "ignore",
    detached: true,
  });
  onEnd(t, async () => {
    const gone = once(load, "exit");
    process.kill(-(load.pid ?? 0), "SIGKILL");
    await gone;
  });
}

test("the SQLite writer is installed by copying its folder, and used by config alone: the snapshot is whole under load", async (t) => {
  const dir = tempDir(t);
  installed(dir, "writer-sqlite");
  const database = path.join(dir, "app/app.db");
  mkdirSync(path.dirname(database));
  sqlite(database, "PRAGMA journal_mode=WAL; CREATE TABLE t (n INTEGER PRIMARY KEY)");
  writing(t, database);
  const config = path.join(dir, "holdstill.json");
  const plugins = [{ use: "writer-sqlite@^0.1", as: "app", options: { database } }];
  writeFileSync(config, JSON.stringify({ pluginPaths: ["plugins"], stateDir: "state", exposeDir: "exposed", plugins }));
  const rows = (file: string): number => Number(sqlite(file, "SELECT count(*) FROM t"));
  while (rows(database) < 20) await sleep(20);

  const made = await holdstill(["create", "writer:app", "--require", "application", "--json", "--config", config]);
  assert.equal(made.exitCode, 0, made.stderr);
  const { set } = made.json() as { set: SnapshotSet };
  assert.equal(set.consistency, "application");
  const exposed = await holdstill(["expose", set.id, "--quiet", "--config", config]);
  onEnd(t, async () => void (await holdstill(["delete", set.id, "--yes", "--config", config])));
  // The snapshot is read-only, and SQLite writes to open: a restore copies it.
  const restored = path.join(dir, "restored");
  cpSync(exposed.stdout.trim(), restored, { recursive: true });
  const snapshot = path.join(restored, "app.db");
  assert.ok(existsSync(snapshot), exposed.stdout);
  assert.equal(sqlite(snapshot, "PRAGMA integrity_check"), "ok");
  const kept = rows(snapshot);
  assert.ok(kept >= 20);
  assert.equal(Number(sqlite(snapshot, "SELECT max(n) FROM t")), kept, "no row before the last is missing");
  while (rows(database) <= kept) await sleep(20);

  const gone = await holdstill(["delete", set.id, "--yes", "--config", config]);
  assert.equal(gone.exitCode, 0, gone.stderr);
});

test("the SQLite writer conforms, and finds a snapshot bad that is", async (t) => {
  const { checks } = await checkPlugin(installed(tempDir(t), "writer-sqlite"));
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  for (const name of ["freeze-holds", "thaw-tells-the-truth", "verify"])
    assert.equal(checks.filter((check) => check.name === name && check.status === "passed").length, 2, name);
});

const token = "of the imaginary array";

/** The array's server, on a port that is free. */
async function arrayOf(
  t: TestContext,
  folder: string,
  mountPoints: readonly string[],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const program = path.join(examples, "provider-array/array.js");
  const array = spawn(process.execPath, [program, "0", token, folder, ...mountPoints], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(array, "exit");
  const stop = async (): Promise<void> => {
    array.kill();
    await gone;
  };
  onEnd(t, stop);
  const [line] = (await once(array.stdout.setEncoding("utf8"), "data")) as [string];
  return { url: line.trim(), stop };
}

for (const [name, runtime, skip] of [
  ["provider-array", "thread", false],
  ["provider-array-python", "process", false],
  ["provider-array-go", "process", goIsMissing],
] as const)
  test(`${name} is used by config alone: the kernel holds two file systems while one request is made`, { skip }, (t) =>
    captures(t, name, runtime),
  );

async function captures(t: TestContext, plugin: string, runtime: "thread" | "process"): Promise<void> {
  const mountPoints = ["one", "two"].map((name) => loopFs(t, "ext4", name));
  if (mountPoints.some((point) => point === null)) return;
  const targets = mountPoints.filter((point) => point !== null);
  const dir = tempDir(t);
  const { url, stop } = await arrayOf(t, path.join(dir, "array"), targets);
  const folder = installed(dir, plugin);

  const only = ["keeps-its-promises", "abort-after-commit", "commit-obeys-the-signal", "keeps-secrets"];
  const fixture = { options: { url, token }, targets, watch: [path.join(dir, "array")] };
  const { checks } = await checkPlugin(folder, { fixture, only, runtimes: [runtime] });
  const wrong = checks.filter(({ status }) => status !== "passed");
  assert.deepEqual(wrong, []);
  assert.ok(only.every((name) => checks.some((check) => check.name === name)));

  for (const target of targets) writeFileSync(path.join(target, "file"), target);
  const config = path.join(dir, "holdstill.json");
  const plugins = [{ use: plugin, options: { url, token } }];
  writeFileSync(config, JSON.stringify({ pluginPaths: ["plugins"], stateDir: "state", exposeDir: "exposed", plugins }));
  const made = await holdstill(["create", ...targets, "--require", "filesystem", "--json", "--config", config]);
  assert.equal(made.exitCode, 0, made.stderr);
  const { set } = made.json() as { set: SnapshotSet };
  assert.deepEqual([set.cut, set.consistency, set.snapshots.length], ["atomic", "filesystem", 2]);
  for (const target of targets) writeFileSync(path.join(target, "file"), "changed since");
  const exposed = await holdstill(["expose", set.id, "--quiet", "--config", config]);
  const trees = exposed.stdout.trim().split("\n");
  assert.deepEqual(trees.map((tree) => readFileSync(path.join(tree, "file"), "utf8")).toSorted(), targets.toSorted());
  const gone = await holdstill(["delete", set.id, "--yes", "--config", config]);
  assert.equal(gone.exitCode, 0, gone.stderr);
  await stop();
  const { providers } = (await holdstill(["providers", "--json", "--config", config])).json() as {
    providers: ProviderDocument[];
  };
  assert.equal(providers[0]?.error?.code, "E_UNREACHABLE", JSON.stringify(providers));
}

test("the same provider is caught when it promises one instant and has nothing held", async (t) => {
  const target = loopFs(t, "ext4");
  if (target === null) return;
  const dir = tempDir(t);
  const { url } = await arrayOf(t, path.join(dir, "array"), [target]);
  const folder = installed(dir, "provider-array");
  const main = path.join(folder, "index.js");
  const changed = readFileSync(main, "utf8").replaceAll(/const hold = .*;/g, "const hold = [];");
  writeFileSync(main, changed);
  const fixture = { options: { url, token }, targets: [target] };
  const { checks } = await checkPlugin(folder, { fixture, only: ["keeps-its-promises"], runtimes: ["thread"] });
  const failed = checks.flatMap((check) => (check.status === "failed" ? [`${check.name}: ${check.seen}`] : []));
  assert.equal(failed.length, 1);
  assert.match(failed[0] ?? "", /^keeps-its-promises: .* not of one instant/);
});
