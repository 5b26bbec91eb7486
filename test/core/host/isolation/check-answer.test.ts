import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Details } from "#core/base/errors/details.js";
import { HoldstillError } from "#core/base/errors/error.js";
import { checkAnswer } from "#core/host/isolation/host/check-answer.js";
import { startSession } from "#core/host/isolation/host/start-session.js";
import { recordingHooks, specOf } from "../../../support/fixture/misbehaving-plugins.js";
import { tempDir } from "../../../support/storage/temp.js";
import { fullTransaction } from "../../../support/fixture/writer-transaction.js";

const who = { role: "writer", instance: "it", plugin: "writer-that", version: "1.0.0" } as const;
const component = { name: "a", kind: "files", paths: ["/a"], tolerates: "fuzzy" };
const circle: Record<string, unknown> = {};
circle["self"] = circle;
const doubled = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], "x");
for (const [what, op, value, pointer] of [
  ["two components of one name", "identify", [component, component], "/1/name"],
  ["no component", "identify", [], ""],
  ["no token", "freeze", null, ""],
  ["something where nothing is due", "abort", { nonsense: true }, ""],
  ["a big integer", "thaw", { uninterrupted: true, facts: { lsn: 1n } }, "/facts/lsn"],
  ["a date", "freeze", { at: new Date(0) }, "/at"],
  ["a number that JSON has not", "freeze", [Number.NaN], "/0"],
  ["a circle", "freeze", circle, "/self"],
  ["5 MiB in one text", "freeze", { text: "x".repeat(5 * 1024 * 1024) }, ""],
  ["a million values", "freeze", Array.from({ length: 1_000_000 }).fill(0), ""],
  ["itself in itself, forty times doubled", "freeze", doubled, ""],
  ["four thousand million gaps", "freeze", Object.assign([], { length: 4e9 }), ""],
  ["3,000 lists in each other", "freeze", JSON.parse("[".repeat(3000) + "]".repeat(3000)), "/0".repeat(100)],
  ["a method", "freeze", { at: () => 1 }, "/at"],
  ["so many faults that finding them takes long", "identify", Array.from({ length: 200_000 }, () => ({})), ""],
] as const) {
  test(`an answer of ${op} with ${what} is E_ANSWER_INVALID, and the finding points at it`, () => {
    assert.throws(
      () => checkAnswer<"writer", typeof op>(who, op, value, () => assert.fail("nothing is unknown")),
      (error) => {
        assert.ok(error instanceof HoldstillError && error.code === "E_ANSWER_INVALID");
        const [finding] = (error.details as Details["E_ANSWER_INVALID"]).findings;
        assert.equal(finding?.pointer, pointer);
        return true;
      },
    );
  });
}

test("properties of a later version are left out of an answer, at any depth, and reported", () => {
  const unknown: string[] = [];
  const value = [
    { ...component, tomorrow: { a: 1 } },
    { ...component, name: "b", also: null },
  ];
  const answer = checkAnswer<"writer", "identify">(who, "identify", value, (pointers) => unknown.push(...pointers));
  assert.deepEqual(answer, [component, { ...component, name: "b" }]);
  assert.deepEqual(unknown, ["/0/tomorrow", "/1/also"]);
  assert.throws(
    () =>
      checkAnswer<"writer", "identify">(who, "identify", [{ tomorrow: 1 }], () => assert.fail("nothing is unknown")),
    {
      code: "E_ANSWER_INVALID",
    },
  );
});

for (const runtime of ["thread", "process"] as const) {
  test(`a plugin in a ${runtime} that logs too much has the rest dropped, and the log shows that`, async (t) => {
    const dir = tempDir(t);
    const entry = path.join(dir, "index.mjs");
    writeFileSync(
      entry,
      `export default { identify() {}, thaw() {}, abort() {}, freeze(tx, { log, progress }) {
         for (let n = 0; n < 50_000; n += 1) { log.info("again"); progress("again"); console.log("again"); }
         return "frozen";
       } };`,
    );
    const hooks = recordingHooks();
    const session = await startSession({ ...specOf("writer", runtime, dir), entry }, hooks, 10_000);
    t.after(() => session.close());
    const tx = fullTransaction({ id: "t1", cut: "fuzzy", components: [], sidecarDir: dir });
    assert.equal(await session.call("freeze", [tx], 60_000), "frozen");
    assert.ok(hooks.lines.length + hooks.progress.length < 20_000);
    assert.ok(hooks.lines.some((line) => line.includes("more than 200 messages in a second")));
  });

  test(`what a plugin in a ${runtime} says too much of is cut, and an answer of 100 MB is E_ANSWER_INVALID and never leaves the worker`, async (t) => {
    const dir = tempDir(t);
    const entry = path.join(dir, "index.mjs");
    writeFileSync(
      entry,
      `const much = "x".repeat(100 * 1024 * 1024);
       export default { identify() {}, thaw() {}, abort() {}, freeze(tx, { log, progress }) {
         log.info(much, { much });
         progress(much);
         return { much };
       } };`,
    );
    const hooks = recordingHooks();
    const fields: unknown[] = [];
    const onLog = (_level: string, message: string, more: unknown): void => void fields.push(message, more);
    const session = await startSession(
      { ...specOf("writer", runtime, dir), entry, memoryMb: 512 },
      { ...hooks, onLog },
      10_000,
    );
    t.after(() => session.close());
    const before = process.memoryUsage().rss;
    const tx = fullTransaction({ id: "t1", cut: "fuzzy", components: [], sidecarDir: dir });
    await assert.rejects(session.call("freeze", [tx], 30_000), { code: "E_ANSWER_INVALID" });
    assert.ok(JSON.stringify([fields, hooks.progress]).length < 100_000);
    if (runtime === "process") assert.ok(process.memoryUsage().rss - before < 50 * 1024 * 1024);
  });
}
