import assert from "node:assert/strict";
import test from "node:test";
import { redactor } from "#core/host/isolation/host/redact.js";

test("secrets are taken out of texts, names and values, in their encodings, and nothing else is touched", () => {
  const redact = redactor(["hunter2/é", "first line\nsecond line"]);
  const said = {
    text: "pw=hunter2/é!",
    "hunter2/é": [
      null,
      1,
      true,
      undefined,
      encodeURIComponent("hunter2/é"),
      Buffer.from("hunter2/é").toString("base64"),
    ],
    json: JSON.stringify({ key: "first line\nsecond line" }),
    line: "at second line",
  };
  assert.deepEqual(redact(said), {
    text: "pw=(hidden)!",
    "(hidden)": [null, 1, true, undefined, "(hidden)", "(hidden)"],
    json: '{"key":"(hidden)"}',
    line: "at (hidden)",
  });
});

test("a short secret is found as a whole text only, and an empty one nowhere", () => {
  assert.deepEqual(redactor(["abc", ""])(["abc", "abcdef", "", 7]), ["(hidden)", "abcdef", "", 7]);
});

test("what is no plain data is left alone, and a circle is no trouble", () => {
  const redact = redactor(["hunter2"]);
  const circle: Record<string, unknown> = { when: new Date(0), name: "hunter2" };
  circle["self"] = circle;
  const said = redact(circle);
  assert.equal(said["name"], "(hidden)");
  assert.ok(said["when"] instanceof Date);
});
