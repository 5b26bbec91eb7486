/** Snapshots that writers repair after the cut, and applications that go on though their writer is dead. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";

interface Row {
  name: string;
  writer: Record<string, unknown>;
  provider?: Record<string, unknown>;
  exit: number;
  repair: Record<string, unknown> | undefined;
  reason?: RegExp;
}

const rows: Row[] = [
  {
    name: "without a fork the snapshot itself is repaired",
    writer: { repair: "always" },
    exit: 0,
    repair: { state: "repaired", in: ["SET/0"], facts: { trees: 1 } },
  },
  {
    name: "a writer that wants the snapshot kept as it was cut is passed over where there is no fork",
    writer: { repair: "fork" },
    exit: 0,
    repair: { state: "passed-over", in: [], reason: "store makes no fork of a snapshot" },
  },
  {
    name: "a snapshot that nobody may write to is passed over",
    writer: { repair: "always" },
    provider: { writable: false },
    exit: 0,
    repair: { state: "passed-over", in: [], reason: "the snapshots of store are read-only" },
  },
  { name: "a writer that wants no repair is not asked for one", writer: {}, exit: 0, repair: undefined },
  {
    name: "a repair that fails lowers the consistency, and says reason",
    writer: { repair: "always", unrepairable: "page 7 is torn" },
    exit: 5,
    repair: { state: "failed", in: ["SET/0"], reason: "page 7 is torn" },
    reason: /could not be repaired: page 7 is torn/,
  },
];

for (const { name, writer, provider = {}, exit, repair, reason = /^$/ } of rows) {
  test(name, async (t) => {
    const stage = new Scene(t);
    const ran = await stage.run(["create", "writer:app", "--json"], { writer, provider });
    assert.equal(ran.exitCode, exit, ran.stdout + ran.stderr);
    const { set } = ran.json() as TransactionResult;
    assert.ok(set);
    const text = JSON.stringify(repair)?.replace("SET", set.id);
    assert.deepEqual(set.writers[0]?.repair, text === undefined ? undefined : JSON.parse(text));
    assert.match(set.writers[0]?.reason ?? "", reason);
    assert.equal(existsSync(repairedFile(stage, set)), repair?.["state"] === "repaired" || exit === 5);
    assert.equal(existsSync(path.join(stage.dir, "exposed", set.id)), false, "nothing is exposed any more");
    assert.equal(stage.calls("app").includes("repair"), exit === 5 || repair?.["state"] === "repaired");
  });
}

const repairedFile = (stage: Scene, { id }: SnapshotSet): string =>
  path.join(stage.store, id, "0", stage.app, "data", "repaired");

test("the error of a failed repair is E_REPAIR_FAILED", async (t) => {
  const stage = new Scene(t);
  const writer = { repair: "always", unrepairable: "page 7 is torn" };
  const ran = await stage.run(["create", "writer:app", "--json=stream"], { writer });
  assert.match(ran.stdout, /"op":"repair","status":"failed".*"code":"E_REPAIR_FAILED"/);
});

test("an application goes on by its compensation when its writer's worker is dead", async (t) => {
  const stage = new Scene(t);
  const writer = { compensates: true, in: "thaw", does: "exits", when: "before" } as const;
  const ran = await stage.run(["create", "writer:app", "--json"], { writer });
  assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr);
  assert.equal(stage.isFrozen(), false);
});

test("after kill -9 recover runs the compensation that the journal has kept", async (t) => {
  const stage = new Scene(t);
  const roles = {
    writer: { compensates: true },
    provider: { in: "commit", does: "hangs" },
    limits: { copy: "20s" },
  } as const;
  await stage.run(["create", "writer:app"], roles, {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (stage.calls("store").includes("commit")) child.kill("SIGKILL");
      }, 10);
      child.once("exit", () => clearInterval(timer));
    },
  });
  assert.equal(stage.isFrozen(), true, "nobody was there to thaw it");
  const ran = await stage.run(["recover", "--yes"], { writer: { compensates: true } });
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  assert.equal(stage.isFrozen(), false);
});
