import assert from "node:assert/strict";
import test from "node:test";
import { freezeMethod } from "#core/base/display/freeze-method.js";
import { backupWords, verdictOf } from "#core/base/display/verdict.js";
import { sampleSet } from "../../../support/fixture/sample-set.js";

test("files of different moments and a failed backup do not count as a success, whatever the outcome says", () => {
  const past = { at: "2026-01-01T00:00:00.000Z", targets: [], timeline: [], providers: [], writers: [] };
  const of = (more: object): string => verdictOf({ ...past, outcome: "created", ...more });
  const backup = { at: past.at, succeeded: true };
  assert.deepEqual(
    [
      of({ consistency: "application" }),
      of({ consistency: "none" }),
      of({ outcome: "degraded", consistency: "crash" }),
      of({ consistency: "application", backup }),
      of({ consistency: "none", backup }),
      of({ consistency: "application", backup: { ...backup, succeeded: false } }),
      of({ outcome: "aborted" }),
    ],
    ["good", "warn", "warn", "good", "warn", "bad", "bad"],
  );
});

test("the end of a backup is said with how its command ended", () => {
  const failed = { at: "2026-01-01T00:00:00.000Z", type: "copy", succeeded: false } as const;
  const words = [
    { ...failed, succeeded: true },
    { ...failed, command: { exitCode: 3, signal: null } },
    { ...failed, command: { exitCode: 143, signal: "SIGTERM" } },
  ].map(backupWords);
  assert.deepEqual(words, [
    "the backup succeeded",
    "the backup failed, the command ended with 3",
    "the backup failed, the command was ended by SIGTERM",
  ]);
});

test("how applications were frozen is said in the words of the writers that froze them", () => {
  const set = sampleSet();
  const components = set.components.map((one) => ({
    ...one,
    component: { ...one.component, method: { [set.cut]: "no lock, backup mode" } },
  }));
  assert.equal(freezeMethod({ ...set, components }), "no lock, backup mode");
  assert.equal(freezeMethod({ ...set, components, writers: [] }), "");
});
