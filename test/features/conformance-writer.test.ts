/** The suite for writers, tried itself: a right one passes, and each wrong one is caught by the check that is there for it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { tempDir } from "../support/storage/temp.js";
import { template, type Wrong, waysToBeWrong, writeWrong } from "../support/fixture/wrong-plugin.js";

test("the writer that plugins new makes conforms, in a thread and in a process", async () => {
  const { checks, failed } = await checkPlugin(template("writer"));
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  assert.equal(failed, 0);
  const runtimes = checks.filter(({ name, status }) => name === "freeze-holds" && status === "passed");
  assert.deepEqual(
    runtimes.map(({ runtime }) => runtime),
    ["thread", "process"],
  );
});

test("there is a writer that is wrong for each check that is its own", async () => {
  const { checks } = await checkPlugin(template("writer"), { runtimes: ["thread"] });
  const proven = new Set((await waysToBeWrong("writer")).map(([, { caughtBy }]) => caughtBy));
  assert.deepEqual(
    checks.filter(({ name, group }) => !proven.has(name) && !["What is left"].includes(group)).map(({ name }) => name),
    [],
  );
});

for (const [way, wrong] of await waysToBeWrong("writer")) {
  test(`a writer that ${way} is caught by ${wrong.caughtBy}`, async (t) => {
    const dir = tempDir(t);
    writeWrong(dir, "writer", way, wrong);
    const only = [...(wrong.also ?? []), wrong.caughtBy];
    const { checks } = await checkPlugin(dir, { only, runtimes: [wrong.runtime ?? "thread"] });
    const failed = checks.filter(({ status }) => status === "failed");
    assert.deepEqual(
      failed.map(({ name }) => name),
      [wrong.caughtBy],
      JSON.stringify(failed, null, 2),
    );
    assert.doesNotMatch(JSON.stringify(checks), /correct horse/, "a report has a secret in it");
  });
}

/** The writer of the template with another fixture, in a folder. */
function writerWith(t: TestContext, changes: Omit<Wrong, "caughtBy">): string {
  const dir = tempDir(t);
  writeWrong(dir, "writer", "freezes nothing", { caughtBy: "nothing", ...changes });
  cpSync(path.join(template("writer"), "index.js"), path.join(dir, "index.js"));
  return dir;
}

test("a server of the fixture is not the plugin's, also without its environment, and as a daemon with another session", async (t) => {
  const setup = `mkdir $WORK/data; echo 0 >$WORK/data/counter
env -i setsid sleep 301 >/dev/null 2>&1 &
env -i setsid sh -c 'sleep 0.1; setsid sleep 302 & sleep 0.1' >/dev/null 2>&1 &`;
  const dir = writerWith(t, {
    fixture: { setup, loseFreeze: "rm $WORK/lock; env -i setsid sleep 303 >/dev/null 2>&1 &" },
  });
  const only = ["thaw-tells-the-truth", "leaves-no-process"];
  const { checks } = await checkPlugin(dir, { only, runtimes: ["process"] });
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  const left = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).match(/^sleep 30[123]$/gm);
  assert.equal(left, null, "the fixture's processes end with it");
});

test("a fixture that cannot be made anew is to blame, and no further check", async (t) => {
  const setup =
    "test ! -e $PLUGIN/../once || { echo no disk; exit 7; }; touch $PLUGIN/../once; mkdir $WORK/data; echo 0 >$WORK/data/counter";
  const dir = path.join(tempDir(t), "plugin");
  writeWrong(dir, "writer", "freezes nothing", { caughtBy: "freeze-holds", fixture: { setup } });
  const { checks } = await checkPlugin(dir);
  const failed = checks.flatMap((check) => (check.status === "failed" ? [check] : []));
  assert.deepEqual(
    failed.map(({ name }) => name),
    ["freeze-holds", "fixture-is-renewed"],
  );
  assert.match(failed[1]?.seen ?? "", /setup exited with 7: no disk/);
  const after = checks.slice(checks.findIndex(({ name }) => name === "freeze-holds") + 1, -2);
  assert.ok(after.every((check) => check.status === "skipped" && /could not be made anew/.test(check.reason)));
});

test("each set of options is tried, and the report tells them apart", async (t) => {
  const dir = writerWith(t, {
    fixture: { variants: [{}, { data: "$WORK/nowhere" }] },
  });
  const { checks } = await checkPlugin(dir, { only: ["paths-exist"], runtimes: ["thread"] });
  assert.deepEqual(
    checks.flatMap(({ name, status, variant }) => (name === "paths-exist" ? [[variant, status]] : [])),
    [
      [undefined, "passed"],
      [1, "passed"],
      [2, "failed"],
    ],
  );
});
