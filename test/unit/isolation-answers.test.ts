import assert from "node:assert/strict";
import test from "node:test";
import type { Details } from "#core/errors/details.js";
import { HoldstillError } from "#core/errors/error.js";
import { checked } from "#core/isolation/answers.js";

const who = { role: "writer", instance: "it", plugin: "writer-that", version: "1.0.0" } as const;
const component = { name: "a", kind: "files", paths: ["/a"], tolerates: "fuzzy" };
const circle: Record<string, unknown> = {};
circle["self"] = circle;
for (const [what, op, value, pointer] of [
  ["two components of one name", "identify", [component, component], "/1/name"],
  ["no component", "identify", [], ""],
  ["no token", "freeze", null, ""],
  ["something where nothing is due", "abort", { nonsense: true }, ""],
  ["a big integer", "thaw", { held: true, facts: { lsn: 1n } }, "/facts/lsn"],
  ["a date", "freeze", { at: new Date(0) }, "/at"],
  ["a number that JSON has not", "freeze", [Number.NaN], "/0"],
  ["a circle", "freeze", circle, "/self"],
] as const) {
  test(`an answer of ${op} with ${what} is E_ANSWER_INVALID, and the finding points at it`, () => {
    assert.throws(
      () => checked<"writer", typeof op>(who, op, value),
      (error) => {
        assert.ok(error instanceof HoldstillError && error.code === "E_ANSWER_INVALID");
        const [finding] = (error.details as Details["E_ANSWER_INVALID"]).findings;
        assert.equal(finding?.pointer, pointer);
        return true;
      },
    );
  });
}
