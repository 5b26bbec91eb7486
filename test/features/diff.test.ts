/** The changed blocks of two sets, by a provider that compares the files of its copies. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { DiffDocument } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";
import { waysToBeRight, waysToBeWrong, writeWrong } from "../support/fixture/wrong-plugin.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { tempDir } from "../support/storage/temp.js";

/** A file on a volume that such a provider captures, and the command line. */
async function storage(t: TestContext, way: string) {
  const dir = tempDir(t);
  writeWrong(path.join(dir, "plugins/provider-example"), "provider", way, await wayOf(way));
  const data = path.join(dir, "data");
  for (const folder of ["data", "store"]) mkdirSync(path.join(dir, folder));
  const config = path.join(dir, "config.json");
  const settings = {
    pluginPaths: [path.join(dir, "plugins")],
    stateDir: path.join(dir, "state"),
    exposeDir: path.join(dir, "exposed"),
    plugins: [{ use: "provider-example", options: { store: path.join(dir, "store") } }],
  };
  writeFileSync(config, JSON.stringify(settings));
  const run = (...args: string[]): Promise<CliRun> => holdstill([...args, "--config", config]);
  return { data, file: path.join(data, "file"), run };
}

async function wayOf(way: string) {
  const found = new Map([...(await waysToBeRight("provider")), ...(await waysToBeWrong("provider"))]).get(way);
  return found ?? assert.fail(`there is no provider that ${way}`);
}

test("diff lists what changed between two sets, in words and in JSON, and what it names can be read", async (t) => {
  const { data, file, run } = await storage(t, "compares the files of its copies");
  writeFileSync(file, Buffer.alloc(4096, "a"));
  assert.equal((await run("create", data, "--name", "first")).exitCode, 0);
  writeFileSync(file, Buffer.concat([Buffer.alloc(1024, "a"), Buffer.alloc(512, "b"), Buffer.alloc(2560, "a")]));
  assert.equal((await run("create", data, "--name", "second")).exitCode, 0);

  const text = await run("diff", "first", "second");
  assert.equal(text.exitCode, 0, text.stderr);
  assert.match(text.stdout.replaceAll(/\s+/g, " "), /data provider-example 512 B of 4\.0 KiB to read, in 1 part of \//);
  const { volumes } = (await run("diff", "first", "second", "--json")).json() as DiffDocument;
  const [volume] = volumes;
  assert.equal(volume?.state, "compared");
  assert.deepEqual(volume.extents, [{ offset: 1024, length: 512, found: "data" }]);
  assert.deepEqual([volume.paths, volume.sizeBytes], [[data], 4096]);
  assert.deepEqual(readFileSync(volume.to), readFileSync(file));
  const same = (await run("diff", "first", "first", "--json")).json() as DiffDocument;
  assert.deepEqual(same.volumes[0]?.state === "compared" && same.volumes[0].extents, []);
});

test("a volume that the first set does not have is to be read as a whole", async (t) => {
  const { data, file, run } = await storage(t, "compares the files of its copies");
  writeFileSync(file, "a");
  const other = path.join(path.dirname(data), "other");
  mkdirSync(other);
  const first = (await run("create", other, "--json")).json() as { set: { id: string; volumes: object[] } };
  assert.equal((await run("create", data, "--name", "second")).exitCode, 0);
  // Both folders are on one file system here, so that the record has to say that they are not.
  const record = path.join(path.dirname(data), "state/sets", first.set.id, "set.json");
  const volumes = first.set.volumes.map((volume) => ({ ...volume, mountPoint: "/elsewhere" }));
  writeFileSync(record, JSON.stringify({ ...first.set, volumes }));
  const { volumes: found } = (await run("diff", first.set.id, "second", "--json")).json() as DiffDocument;
  assert.equal(found[0]?.state, "whole");
});

test("parts beyond the end of the volume are refused", async (t) => {
  const { data, file, run } = await storage(t, "returns a part beyond the end of the volume");
  writeFileSync(file, "a");
  assert.equal((await run("create", data, "--name", "only")).exitCode, 0);
  const refused = await run("diff", "only", "only", "--json");
  assert.equal((refused.json() as { error: { code: string } }).error.code, "E_ANSWER_INVALID", refused.stdout);
});

test("a provider without diff is E_NO_DIFF, which names the volume and says what can be done", async (t) => {
  const scene = new Scene(t);
  assert.equal((await scene.run(["create", "writer:app", "--name", "only"])).exitCode, 0);
  const refused = await scene.run(["diff", "only", "only"]);
  assert.equal(refused.exitCode, 3, refused.stderr);
  assert.match(refused.stderr, /Provider `store` cannot list the changed blocks of \//);
  assert.match(refused.stderr, /holdstill expose/);
  assert.match((await scene.run(["diff", "only", "only", "--json"])).stdout, /"E_NO_DIFF"/);
});
