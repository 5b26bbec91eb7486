/** The state directory is lost, and the configured store is not: what is in it can still be found, shown, and deleted. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { RecoverDocument, SnapshotSet } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { tempDir } from "../support/storage/temp.js";

interface Lost {
  readonly dir: string;
  readonly data: string;
  readonly store: string;
  readonly id: string;
  readonly run: (...args: string[]) => Promise<CliRun>;
}

/** A set in a store of its own, of which nothing else is left. */
async function loseState(t: TestContext): Promise<Lost> {
  const dir = tempDir(t);
  const [data, store] = [path.join(dir, "data"), path.join(dir, "store")];
  mkdirSync(data);
  writeFileSync(path.join(data, "file"), "precious\n");
  const config = path.join(dir, "config.json");
  const plugins = [{ use: "provider-reflink", options: { store } }];
  writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins }));
  const run = (...args: string[]): Promise<CliRun> => holdstill([...args, "--config", config]);
  const created = await run("create", data, "--quiet");
  assert.equal(created.exitCode, 0, created.stderr);
  rmSync(`${dir}/state`, { recursive: true });
  return { dir, data, store, id: created.stdout.trim(), run };
}

test("doctor and recover name its set, which is adopted as what it is, restored, and deleted", async (t) => {
  const { dir, data, store, id, run } = await loseState(t);
  assert.match((await run("doctor")).stdout.replaceAll(/\s+/g, " "), new RegExp(`set ${id}, which has no`));
  assert.match((await run("recover", "--yes")).stdout, new RegExp(`of set ${id}`));
  assert.deepEqual(readdirSync(store), [`${id}.0`]);
  const adopted = await run("recover", "--adopt", "--yes", "--json");
  assert.deepEqual((adopted.json() as RecoverDocument).residue, [], adopted.stderr);
  const set = (await run("show", id, "--json")).json() as SnapshotSet;
  // The files were copied one after the other.
  assert.deepEqual([set.consistency, set.cut, set.targets], ["none", "fuzzy", [data]]);
  writeFileSync(path.join(data, "file"), "spoilt\n");
  const restored = await run("restore", id, "--yes");
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.equal(readFileSync(path.join(data, "file"), "utf8"), "precious\n");
  // Also after the store was moved to another place.
  const moved = path.join(dir, "moved");
  renameSync(store, moved);
  const config = path.join(dir, "config.json");
  writeFileSync(config, readFileSync(config, "utf8").replace(store, moved));
  assert.equal((await run("delete", id, "--yes")).exitCode, 0);
  assert.deepEqual(readdirSync(moved), []);
  assert.match((await run("recover")).stdout, /Nothing is left over/);
});

test("an entry that another user could have put there is not believed", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("giving a folder away needs root");
  const { store, id, run } = await loseState(t);
  chownSync(path.join(store, `${id}.0`), 65_534, 65_534);
  assert.match((await run("recover")).stdout, /Nothing is left over/);
  chownSync(path.join(store, `${id}.0`), 0, 0);
  chmodSync(store, 0o777);
  assert.match((await run("recover")).stdout, /Nothing is left over/);
});
