import assert from "node:assert/strict";
import test from "node:test";
import { SeenSpans } from "#core/base/display/spans.js";
import { timelineLines } from "#core/cli/render/timeline.js";
import type { Span } from "#core/base/schema/types.js";
import { plainStyle } from "../../../support/fixture/terminal-style.js";

const text = (lines: readonly string[]): string => `${lines.join("\n")}\n`;

const span = (actor: string, op: string, from: number, to: number, limitMs: number, why?: string): Span => ({
  actor,
  op,
  from,
  to,
  limitMs,
  outcome: why === undefined ? "ok" : "failed",
  ...(why === undefined ? {} : { reason: why }),
});

test("a timeline shows which writers were frozen with which limit, and that the snapshot was taken meanwhile", () => {
  const spans = [
    span("pg-main", "prepare", 0, 40, 600_000),
    span("pg-main", "freeze", 40, 60, 20_000),
    span("front", "freeze", 50, 60, 45_000),
    span("keeper", "hold", 60, 64, 10_000),
    span("provider-lvm", "commit", 64, 84, 10_000),
    span("front", "thaw", 90, 95, 59_950),
    span("pg-main", "thaw", 90, 120, 59_950),
    span("provider-lvm", "seal", 120, 200, 300_000),
  ];
  assert.equal(
    text(timelineLines(spans, plainStyle)),
    `From freeze to thaw: 80 ms, from 40 ms to 120 ms
  pg-main               80 ms  of 60 s  ████████████████████████████████████████
  front                 45 ms  of 60 s       ███████████████████████
  keeper: hold           4 ms  of 10 s            ▒▒
  provider-lvm: commit  20 ms  of 10 s              ▒▒▒▒▒▒▒▒▒▒

Calls, 200 ms in all
  pg-main       prepare    at 0 ms  40 ms  of 10 min  █████
  pg-main       freeze    at 40 ms  20 ms    of 20 s       ███
  front         freeze    at 50 ms  10 ms    of 45 s         █
  keeper        hold      at 60 ms   4 ms    of 10 s          █
  provider-lvm  commit    at 64 ms  20 ms    of 10 s          ███
  front         thaw      at 90 ms   5 ms    of 60 s              █
  pg-main       thaw      at 90 ms  30 ms    of 60 s              ████
  provider-lvm  seal     at 120 ms  80 ms   of 5 min                  ██████████
`,
  );
});

test("a timeline marks the culprit, gives the reason, and shows who was let go by abort", () => {
  const why = "writer `app` (writer-app 1.0.0), worker 3, did not finish freeze within 20.0 s.";
  const spans = [
    span("pg-main", "freeze", 10, 30, 20_000),
    span("app", "freeze", 10, 20_010, 20_000, why),
    span("pg-main", "thaw", 20_010, 20_030, 40_000),
    span("app", "abort", 20_030, 20_080, 30_000),
  ];
  assert.equal(
    text(timelineLines(spans, plainStyle)),
    `From freeze to thaw: 20.1 s, from 10 ms to 20.1 s
  pg-main    20 s  of 60 s  ████████████████████████████████████████
✗ app      20.1 s           ████████████████████████████████████████

Calls, 20.1 s in all
  pg-main  freeze  at 10 ms  20 ms  of 20 s  █
✗ app      freeze  at 10 ms   20 s  of 20 s  ███████████████████████████████████
    writer \`app\` (writer-app 1.0.0), worker 3, did not finish freeze within 20.0
    s.
  pg-main  thaw     at 20 s  20 ms  of 40 s                                    █
  app      abort    at 20 s  50 ms  of 30 s                                    █
`,
  );
});

test("a timeline of one instant, or of nothing, is drawn too", () => {
  assert.deepEqual(timelineLines([], plainStyle), []);
  assert.equal(
    text(timelineLines([span("a", "prepare", 0, 0, 1)], plainStyle)),
    "Calls, 0 ms in all\n  a  prepare  at 0 ms  0 ms  of 1 ms  █\n",
  );
});

test("no timeline is wider than the terminal, whatever the names", () => {
  const actor = "a-very-long-name-of-an-instance-that-somebody-gave";
  const lines = timelineLines(
    [span(actor, "freeze", 0, 1234.5, 3_600_000), span(actor, "thaw", 1234.5, 2345, 60_000)],
    plainStyle,
  );
  for (const line of lines) assert.ok(line.length <= 80, line);
});

test("the timeline of a transaction can be seen from its events, with what was never answered", () => {
  const seen = new SeenSpans();
  const at = "2026-01-02T03:04:05.678Z";
  seen.note({ type: "call", at, ms: 10, actor: "app", op: "freeze", status: "begun", limitMs: 500 });
  seen.note({ type: "call", at, ms: 11, actor: "pg", op: "freeze", status: "begun", limitMs: 500 });
  seen.note({ type: "call", at, ms: 20, actor: "app", op: "freeze", status: "ok", elapsedMs: 10 });
  seen.note({ type: "phase", at, ms: 30, phase: "abort", limitMs: 1 });
  assert.deepEqual(seen.all(), [
    { actor: "app", op: "freeze", from: 10, to: 20, limitMs: 500, outcome: "ok" },
    { actor: "pg", op: "freeze", from: 11, to: 30, limitMs: 500, outcome: "failed", reason: "it did not return" },
  ]);
});
