/** What a worker may send to its host. */
import assert from "node:assert/strict";
import test from "node:test";
import { PendingCalls } from "#core/host/isolation/host/calls.js";
import { Intake } from "#core/host/isolation/host/intake.js";
import { Frames } from "#core/host/isolation/frames.js";
import { HoldstillError } from "#core/base/errors/error.js";
import { MESSAGE_LIMIT } from "#core/host/isolation/wire.js";

const progress = JSON.stringify({ type: "progress", message: "again" });
const who = { role: "writer", instance: "it", plugin: "p", version: "1.0.0" } as const;
const late = (): HoldstillError => new HoldstillError("E_CANCELLED", { who, op: "freeze" });

test("a message of the protocol is taken, and its text may have any character", () => {
  const message = { type: "log", level: "info", message: "ä\n\u0000 𝄞", fields: { a: [1] } };
  assert.deepEqual(new Intake().take(JSON.stringify(message)), { type: "message", message });
});

for (const [what, text] of [
  ["an object in place of text", { type: "ready", ops: [] }],
  ["no JSON", "{"],
  ["null", "null"],
  ["a list", "[]"],
  ["an unknown type", `{"type":"toString"}`],
  ["a failure without its reason", `{"type":"failed","id":1,"fault":null}`],
  ["a failure with a wrong cause", `{"type":"failed","id":1,"fault":{"message":"x","cause":7}}`],
  ["a level that no log has", `{"type":"log","level":"__proto__","message":"x"}`],
  ["a text that is too long for a person", JSON.stringify({ type: "dying", reason: "x".repeat(100_000) })],
  ["a nested answer", `{"type":"answer","id":1,"value":${"[".repeat(3000)}${"]".repeat(3000)}}`],
  ["more text than a result may have", JSON.stringify({ type: "answer", id: 1, value: "x".repeat(MESSAGE_LIMIT) })],
] as const)
  test(`${what} breaks the channel`, () => {
    assert.equal(new Intake().take(text).type, "broken");
  });

test("a flood breaks the channel, by its number or by its size", () => {
  let now = 0;
  const many = new Intake(() => now);
  const taken = Array.from({ length: 6000 }, () => many.take(progress).type);
  assert.deepEqual([taken[0], taken.at(-1)], ["message", "broken"]);
  now = 1000;
  assert.equal(many.take(progress).type, "message", "a second later it is none");
  const large = new Intake(() => now);
  const answer = JSON.stringify({ type: "answer", id: 1, value: "x".repeat(4 * 1024 * 1024) });
  const sizes = Array.from({ length: 6 }, () => large.take(answer).type);
  assert.deepEqual([sizes[0], sizes.at(-1)], ["message", "broken"]);
});

test("messages are cut out of the bytes wherever these are split, and one without an end is not collected", () => {
  const got: string[] = [];
  const bytes = Buffer.from("ä\nb\n\nlonger\nrest");
  for (let at = 0; at <= bytes.length; at += 1) {
    const frames = new Frames(100, (text) => void got.push(text));
    assert.ok(frames.take(bytes.subarray(0, at)) && frames.take(bytes.subarray(at)));
    assert.deepEqual(got.splice(0), ["ä", "b", "", "longer"]);
  }
  const frames = new Frames(10, () => undefined);
  assert.equal(frames.take(Buffer.alloc(8)), true);
  assert.equal(frames.take(Buffer.alloc(8)), false);
});

test("an answer to a call that was not sent yet is none: the call gets its own", async () => {
  const calls = new PendingCalls(
    () => undefined,
    () => undefined,
  );
  const first = calls.add("freeze", [], 60_000, late);
  calls.giveUp(1, late());
  await assert.rejects(first, { code: "E_CANCELLED" });
  const second = calls.add("abort", [], 60_000, late);
  assert.equal(calls.end(2), undefined, "it waits for the end of the first one");
  calls.end(1);
  calls.end(2)?.resolve("its own");
  assert.equal(await second, "its own");
});
