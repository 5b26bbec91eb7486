/** The whole of it: a set over thin and thick volumes by the command line, as an operator takes it. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import { holdstill } from "../../support/process/command-line.js";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { checkAll, furnish, mounts, stateOf } from "../support/lvm-state.js";
import { VolumeGroup } from "../support/volume-group.js";

test("create, show, expose and delete a set over thin and thick volumes", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const before = stateOf(vg);
  const dir = tempDir(t);
  const config = path.join(dir, "holdstill.json");
  const settings = {
    stateDir: path.join(dir, "state"),
    exposeDir: path.join(dir, "exposed"),
    plugins: [{ use: "provider-lvm", options: { size: "16M" } }],
  };
  writeFileSync(config, JSON.stringify(settings));
  const ask = async <T>(...args: string[]): Promise<T> => {
    const ran = await holdstill([...args, "--json", "--config", config]);
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    return ran.json() as T;
  };
  const folders = mounts(volumes).map((mount) => `${mount}/counter`);
  for (const folder of folders) mkdirSync(folder);
  const counter = await Counter.start(folders);
  onEnd(t, async () => void (await counter.stop()));
  await ask("create", ...folders, "--require", "filesystem");
  await counter.advance(3);
  await counter.stop();
  const set = await ask<SnapshotSet>("show", "latest");
  assert.equal(set.consistency, "filesystem");
  assert.equal(set.cut, "atomic");
  const { exposed } = await ask<SnapshotSet>("expose", set.id);
  const snapshots = folders.map((folder) => {
    const trees = exposed?.flatMap((one) => one.exposed.trees) ?? [];
    return trees.find(({ original }) => original === folder)?.path ?? assert.fail(`${folder} is not exposed`);
  });
  assert.ok(verifyCounter(snapshots) > 0);
  await ask("delete", set.id, "--yes");
  assert.throws(() => readFileSync(snapshots[0] ?? ""), { code: "ENOENT" });
  assert.equal(stateOf(vg), before);
  checkAll(vg, volumes);
});
