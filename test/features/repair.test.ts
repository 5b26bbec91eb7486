/** Snapshots that writers repair after the cut, and applications that go on though their writer is dead. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { withForks } from "../support/fixture/scene-with-forks.js";
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

test("a view that cannot be ended after a repair takes nothing from what was repaired, and the record has the reason", async (t) => {
  const stage = new Scene(t);
  const provider = { in: "unexpose", does: "throws" } as const;
  const ran = await stage.run(["create", "writer:app", "--json"], { writer: { repair: "always" }, provider });
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  const { set } = ran.json() as TransactionResult;
  assert.ok(set);
  assert.deepEqual([set.writers[0]?.repair?.state, set.consistency], ["repaired", "application"]);
  assert.match(set.writers[0]?.repair?.reason ?? "", /failed in unexpose/);
});

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

test("after kill -9 recover runs a compensation with a secret, which is in no argument, journal, or output", async (t) => {
  const stage = new Scene(t);
  const secret = "pa55word-of-the-application";
  const writer = { compensates: true, password: { env: "APP_PASSWORD" } };
  const surroundings = { env: { APP_PASSWORD: secret } };
  const provider = { in: "commit", does: "hangs" } as const;
  await stage.run(
    ["create", "writer:app"],
    { writer, provider, limits: { copy: "20s" } },
    {
      ...surroundings,
      onStart: (child) => {
        const timer = setInterval(() => {
          if (stage.calls("store").includes("commit")) child.kill("SIGKILL");
        }, 10);
        child.once("exit", () => clearInterval(timer));
      },
    },
  );
  const transactions = path.join(stage.dir, "state/transactions");
  const journals = readdirSync(transactions).map((name) => path.join(transactions, name));
  for (const journal of journals) assert.equal(statSync(journal).mode & 0o777, 0o600);
  const journaled = journals.map((journal) => readFileSync(journal, "utf8")).join("");
  assert.match(journaled, /"env":\{"PASSWORD":\{"option":"\/password"\}\}/);

  const ran = await stage.run(["recover", "--yes", "--verbose"], { writer }, surroundings);
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  assert.equal(readFileSync(path.join(stage.app, "compensated"), "utf8"), `${secret} unpause`);
  assert.match(ran.stderr, /refused: \(hidden\)/);
  for (const text of [journaled, ran.stdout, ran.stderr]) assert.ok(!text.includes(secret), text);
});

test("after kill -9 in a repair recover removes the folder at which the snapshot was exposed", async (t) => {
  const stage = new Scene(t);
  const writer = { repair: "always", in: "repair", does: "hangs" } as const;
  await stage.run(
    ["create", "writer:app"],
    { writer },
    {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (stage.calls("app").includes("repair")) child.kill("SIGKILL");
        }, 10);
        child.once("exit", () => clearInterval(timer));
      },
    },
  );
  const exposed = path.join(stage.dir, "exposed");
  assert.equal(readdirSync(exposed).length, 1);
  const ran = await stage.run(["recover", "--yes"], { writer: { repair: "always" } });
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  assert.deepEqual(readdirSync(exposed), []);
});

test("a restore elsewhere takes the repaired contents, or with --as-cut what was cut", async (t) => {
  const stage = new Scene(t);
  const on = withForks(stage, {});
  assert.equal((await on("create", "writer:app", "--name", "good")).exitCode, 0);
  for (const [options, expected] of [
    [[], ["file", "repaired"]],
    [["--as-cut"], ["file"]],
  ] as const) {
    const to = path.join(stage.dir, `to${options.join("")}`);
    const restored = await on("restore", "good", "--to", to, "--yes", ...options);
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.deepEqual(readdirSync(path.join(to, stage.app, "data")), expected);
  }
});

const failures = {
  reports: { unrepairable: "page 7 is torn" },
  throws: { in: "repair", does: "throws", when: "after" },
} as const;

for (const [how, misbehaviour] of Object.entries(failures)) {
  test(`a fork whose repair failed is never used: what was cut is verified, shown, and restored (the writer ${how})`, async (t) => {
    const stage = new Scene(t);
    const on = withForks(stage, misbehaviour);
    const made = await on("create", "writer:app", "--name", "good", "--json");
    assert.equal(made.exitCode, 5, made.stdout + made.stderr);
    const { set } = made.json() as TransactionResult;
    assert.equal(set?.snapshots.length, 2);
    assert.deepEqual(
      set.writers[0]?.repair?.in,
      set.snapshots.flatMap(({ snapshot: { id, of } }) => (of === undefined ? [] : id)),
    );
    assert.equal(set.writers[0].repair.state, "failed");

    mkdirSync(path.join(stage.dir, "at"));
    const seen = await on("expose", "good", "--at", path.join(stage.dir, "at"));
    if (process.geteuid?.() === 0) {
      assert.equal(seen.exitCode, 0, seen.stderr);
      const below = path.join(stage.dir, "at", stage.app, "data");
      assert.deepEqual(readdirSync(below), ["file"]);
    }
    assert.equal((await on("unexpose", "good")).exitCode, 0);
    const restored = await on("restore", "good", "--to", path.join(stage.dir, "to"), "--yes");
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.deepEqual(readdirSync(path.join(stage.dir, "to", stage.app, "data")), ["file"]);
  });
}
