/** provider-dmsnap by way of the real command line. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import type { TransactionResult } from "#core/engine/types.js";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { LeasedCommand } from "../../support/process/leased-command.js";
import { commandLine, configFile } from "../support/command-line.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { pourUntil } from "../support/filling.js";

const plugins = [{ use: "provider-dmsnap", options: { size: "16M" } }];

test("a set of two devices under load is atomic, held by the keeper, exposed and deleted", async (t) => {
  const disk = new MappedDisk(t);
  const volumes = [disk.volume("one", "ext4"), disk.volume("two", "xfs")];
  const command = commandLine(t, plugins);
  const before = state();
  const folders = volumes.map(({ mount }) => `${mount}/counter`);
  for (const folder of folders) mkdirSync(folder);
  const counter = await Counter.start(folders);
  const created = await command(["create", ...volumes.map(({ mount }) => mount), "--json"]);
  await counter.advance(3);
  await counter.stop();
  assert.equal(created.exitCode, 0, created.stdout + created.stderr);
  const { set } = created.json() as TransactionResult;
  assert.deepEqual([set?.cut, set?.consistency, set?.hold?.targets.length], ["atomic", "filesystem", 2]);
  const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  const trees = exposed.exposed?.flatMap((one) => one.exposed.trees) ?? [];
  assert.ok(verifyCounter(trees.map((tree) => `${tree.path}/counter`)) > 0);
  const deleted = await command(["delete", "latest", "--yes"]);
  assert.equal(deleted.exitCode, 0, deleted.stderr);
  assert.deepEqual(state(), before);
});

test("run warns of a store that fills up while its command runs", async (t) => {
  const disk = new MappedDisk(t);
  const { mount } = disk.volume("one", "ext4", 96);
  const before = state();
  const config = configFile(t, plugins, { usageInterval: "1s" });
  const kept = new LeasedCommand(t, ["run", "--config", config, mount, "--", "cat"]);
  await kept.printed("is below");
  assert.doesNotMatch(kept.stderr, /warning/);
  await pourUntil(kept, "E_SPACE_LOW", mount, 10);
  assert.equal(await kept.end(), 0, kept.stderr);
  assert.deepEqual(state(), before);
});
