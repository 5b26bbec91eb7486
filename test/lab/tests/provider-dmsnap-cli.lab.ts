/** provider-dmsnap by way of the real command line. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import type { Ended } from "#core/requester/types.js";
import { Counter, verifyCounter } from "../../rig/counter.js";
import { commandLine } from "../rig/command-line.js";
import { MappedDisk, state } from "../rig/mapped-disk.js";

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
  const { set } = created.json() as Ended;
  assert.deepEqual([set?.cut, set?.consistency, set?.hold?.by], ["atomic", "filesystem", "ioctl"]);
  const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  const trees = exposed.exposed?.flatMap((one) => one.exposed.trees) ?? [];
  assert.ok(verifyCounter(trees.map((tree) => `${tree.path}/counter`)) > 0);
  const deleted = await command(["delete", "latest", "--yes"]);
  assert.equal(deleted.exitCode, 0, deleted.stderr);
  assert.deepEqual(state(), before);
});
