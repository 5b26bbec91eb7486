/** A storage that finishes its snapshots some time after the cut. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import type { TransactionResult } from "#core/engine/types.js";
import { Scene } from "../support/fixture/scene.js";
import type { RunOptions } from "../support/process/command-line.js";

const provider = { creates: true };
const statesOf = ({ snapshots }: SnapshotSet): unknown[] => snapshots.map(({ snapshot }) => snapshot.state);

/** Does it once the storage was asked for its snapshots. */
const whenListed = (scene: Scene, act: (child: { kill(signal: "SIGINT"): unknown }) => void): RunOptions => ({
  onStart: (child) => {
    const timer = setInterval(() => {
      if (!scene.calls("store").includes("list")) return;
      clearInterval(timer);
      act(child);
    }, 10);
    child.once("exit", () => clearInterval(timer));
  },
});

test("create waits until the storage has finished the snapshots, and repairs them after that", async (t) => {
  const scene = new Scene(t);
  const finish = whenListed(scene, () => writeFileSync(path.join(scene.store, "ready"), ""));
  const ran = await scene.run(["create", "writer:app", "--json"], { provider, writer: { repair: "always" } }, finish);
  const { set } = ran.json() as TransactionResult;
  assert.ok(set, ran.stderr);
  assert.deepEqual(statesOf(set), [undefined]);
  assert.equal(set.writers[0]?.repair?.state, "repaired");
  const spans = set.timeline.filter(({ actor }) => actor === "store").map(({ op, limitMs }) => [op, limitMs]);
  assert.deepEqual(spans.slice(-2), [
    ["seal", 30_000],
    ["ready", 600_000],
  ]);
});

test("a set whose snapshot is not finished in time is shown so, is not exposed, and is exposed once it is finished", async (t) => {
  const scene = new Scene(t);
  const roles = { provider, writer: { repair: "always" }, limits: { ready: "300ms" } };
  const created = await scene.run(["create", "writer:app", "--name", "slow"], roles);
  assert.equal(created.exitCode, 0, created.stderr);
  assert.match(created.stdout + created.stderr, /store has not finished snapshot .*: it cannot be exposed yet/);
  const shown = (await scene.run(["show", "slow", "--json"], roles)).json() as SnapshotSet;
  assert.deepEqual(statesOf(shown), ["creating"]);
  assert.equal(shown.writers[0]?.repair?.state, "passed-over");
  const list = ["list", "show slow"].map((line) => line.split(" "));
  for (const command of list)
    assert.match(
      (await scene.run(command, roles)).stdout,
      /creating: the storage had not finished\. `holdstill \w+ .*--usage` asks/,
    );

  const refused = await scene.run(["expose", "slow"], roles);
  assert.equal(refused.exitCode, 3, refused.stderr);
  assert.match(refused.stderr, /The storage has not finished snapshot .* of set/);
  assert.match((await scene.run(["verify", "slow", "--json"], roles)).stdout, /"E_SNAPSHOT_CREATING"/);
  assert.ok(!scene.calls("store").includes("expose"));

  writeFileSync(path.join(scene.store, "ready"), "");
  const [usage, record] = [["list", "--usage"], ["list"]];
  assert.doesNotMatch((await scene.run(usage, roles)).stdout, /creating/);
  assert.match((await scene.run(record, roles)).stdout, /creating/, "the record is as it was");
  assert.equal((await scene.run(["expose", "slow"], roles)).exitCode, 0);
  assert.doesNotMatch((await scene.run(record, roles)).stdout, /creating/);
  assert.deepEqual(statesOf((await scene.run(["show", "slow", "--json"], roles)).json() as SnapshotSet), [undefined]);
});

test("an interruption while the storage creates the snapshots undoes everything", async (t) => {
  const scene = new Scene(t);
  const interrupt = whenListed(scene, (child) => child.kill("SIGINT"));
  const ran = await scene.run(["create", "writer:app"], { provider, limits: { ready: "60s" } }, interrupt);
  assert.equal(ran.exitCode, 130, ran.stderr);
  assert.deepEqual([scene.stored(), scene.recorded()], [[], []]);
});
