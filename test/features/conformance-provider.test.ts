/** The suite for providers, tried itself: a right one passes, and each wrong one is caught by the check that is there for it. */
import assert from "node:assert/strict";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { tempDir } from "../support/storage/temp.js";
import { template, waysToBeWrong, writeWrong } from "../support/fixture/wrong-plugin.js";

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
  });
}
