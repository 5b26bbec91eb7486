/** The suite for providers, tried itself: a right one passes, and each wrong one is caught by the check that is there for it. */
import assert from "node:assert/strict";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { tempDir } from "../support/storage/temp.js";
import { template, waysToBeRight, waysToBeWrong, writeWrong } from "../support/fixture/wrong-plugin.js";

test("the provider that plugins new makes conforms, in a thread and in a process", async () => {
  const { checks, failed } = await checkPlugin(template("provider"));
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  assert.equal(failed, 0);
  const runtimes = checks.filter(({ name, status }) => name === "snapshot-is-of-the-cut" && status === "passed");
  assert.deepEqual(
    runtimes.map(({ runtime }) => runtime),
    ["thread", "process"],
  );
});

test("there is a provider that is wrong for each check that is its own", async () => {
  const { checks } = await checkPlugin(template("provider"), { runtimes: ["thread"] });
  const proven = new Set((await waysToBeWrong("provider")).map(([, { caughtBy }]) => caughtBy));
  assert.deepEqual(
    checks
      .filter(
        ({ name, group }) =>
          !proven.has(name) && !["The folder", "The options", "Loading", "What is left"].includes(group),
      )
      .map(({ name }) => name),
    [],
  );
});

for (const [way, wrong] of await waysToBeWrong("provider")) {
  test(`a provider that ${way} is caught by ${wrong.caughtBy}`, async (t) => {
    if (wrong.needsRoot === true && process.geteuid?.() !== 0) return t.skip("it needs root, for a mount");
    const dir = tempDir(t);
    writeWrong(dir, "provider", way, wrong);
    const only = [...(wrong.also ?? []), wrong.caughtBy];
    const { checks } = await checkPlugin(dir, { only, runtimes: [wrong.runtime ?? "thread"] });
    const failed = checks.filter(({ status }) => status === "failed");
    assert.deepEqual(
      failed.map(({ name }) => name),
      [wrong.caughtBy],
      JSON.stringify(failed, null, 2),
    );
    const [first] = failed;
    if (wrong.next !== undefined) assert.match(first?.status === "failed" ? (first.next ?? "") : "", wrong.next);
  });
}

for (const [way, right] of await waysToBeRight("provider")) {
  test(`a provider that ${way} is not accused by ${right.caughtBy}`, async (t) => {
    if (right.needsRoot === true && process.geteuid?.() !== 0) return t.skip("it needs root, for a mount");
    const dir = tempDir(t);
    writeWrong(dir, "provider", way, right);
    const { checks } = await checkPlugin(dir, { only: [right.caughtBy], runtimes: ["thread"] });
    assert.deepEqual(
      checks.filter(({ status }) => status === "failed"),
      [],
    );
    assert.equal(checks.find(({ name }) => name === right.caughtBy)?.status, "passed");
  });
}

test("what setup left in the background is shown with the command of the fixture that fails", async (t) => {
  const dir = tempDir(t);
  const fixture = {
    setup:
      "mkdir $WORK/store $WORK/one $WORK/two && { sh -c 'sleep 0.3; echo starting; echo the disk is full; touch $WORK/up' & }",
    state: "until test -e $WORK/up; do sleep 0.1; done; echo no connection; exit 7",
  };
  writeWrong(dir, "provider", "loses its server", { caughtBy: "state-is-restored", fixture });
  const { checks } = await checkPlugin(dir, { only: ["state-is-restored"], runtimes: ["thread"] });
  const [failed, ...others] = checks.filter(({ status }) => status === "failed");
  assert.deepEqual(others, []);
  assert.ok(failed?.status === "failed");
  assert.equal(
    failed.seen,
    "state exited with 7. no connection\nWhat `setup` started wrote last:\nstarting\nthe disk is full",
  );
});

test("the suite reports what it waits for, and for how long", async (t) => {
  const dir = tempDir(t);
  const [way, wrong] =
    (await waysToBeWrong("provider")).find(([name]) => name === "never finishes its snapshots") ?? [];
  assert.ok(way !== undefined && wrong !== undefined);
  writeWrong(dir, "provider", way, wrong);
  const waits: string[] = [];
  await checkPlugin(dir, { only: ["transaction"], runtimes: ["thread"], onWait: (what) => waits.push(what) });
  assert.equal(waits.length, 1);
  assert.match(waits[0] ?? "", /^waiting up to 3 s for the storage, which is creating \S+$/);
});
