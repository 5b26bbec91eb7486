/** What the suite reports of a check that failed. */
import assert from "node:assert/strict";
import test from "node:test";
import { type ConformanceCheck, runChecks } from "#core/conformance/check.js";
import { HoldstillError } from "#core/base/errors/error.js";

const remedy = "Return `consistency` instead of a hold.";
const refused: ConformanceCheck<null> = {
  name: "transaction",
  group: "The snapshot",
  title: "The transaction ends.",
  next: "Look into the log.",
  run() {
    const refusals = [{ target: "/mnt", reason: "the commit would wait for its release for ever", remedy }];
    throw new HoldstillError("E_HOLD_REFUSED", { refusals });
  },
};

test("a hold that the keeper refuses is reported with the keeper's own hint", async () => {
  const [result] = await runChecks([refused], null, {
    earlier: [],
    after: async () => {},
    redact: (text) => text,
    onResult: () => {},
    signal: new AbortController().signal,
    only: null,
  });
  assert.deepEqual(result?.status === "failed" && [result.seen, result.next], [
    "/mnt cannot be held: the commit would wait for its release for ever.",
    remedy,
  ]);
});
