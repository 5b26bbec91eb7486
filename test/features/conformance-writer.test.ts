/** The suite for writers, tried itself: a right one passes, and each wrong one is caught by the check that is there for it. */
import assert from "node:assert/strict";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { tempDir } from "../support/storage/temp.js";
import { template, waysToBeWrong, writeWrong } from "../support/fixture/wrong-plugin.js";

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
