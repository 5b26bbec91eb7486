/** What the history of transactions says of each plugin. */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { History, lastTimes, usualTimes } from "#core/store/history.js";
import { WriteGate } from "#core/store/write-gate.js";
import type { PastTransaction } from "#core/base/schema/types.js";
import { tempState } from "../../support/fixture/state-directory.js";

type Span = PastTransaction["timeline"][number];

const span = (op: Span["op"], from: number, to: number, more: Partial<Span> = {}): Span => ({
  actor: "db",
  op,
  from,
  to,
  outcome: "ok",
  limitMs: 60_000,
  ...more,
});
const past = (at: string, timeline: Span[]): PastTransaction => ({ at, timeline }) as PastTransaction;

const good = (at: string, freezeMs: number): PastTransaction =>
  past(at, [span("freeze", 100, 100 + freezeMs), span("thaw", 200 + freezeMs, 300 + freezeMs)]);
const bad = (at: string): PastTransaction =>
  past(at, [span("freeze", 100, 900, { outcome: "failed", reason: "it hangs" }), span("abort", 900, 950)]);

test("of each writer the last time counts, with how long it was frozen, or why it was not", () => {
  assert.deepEqual(lastTimes([bad("1"), good("2", 50)]).get("db"), {
    at: "2",
    result: "frozen",
    frozenMs: 250,
    reason: null,
  });
  assert.deepEqual(lastTimes([good("1", 50), bad("2")]).get("db"), {
    at: "2",
    result: "failed",
    frozenMs: null,
    reason: "it hangs",
  });
  assert.equal(lastTimes([good("1", 50)]).get("mail"), undefined);
});

test("the usual time is the lower median of the good ones of the last 20 runs", () => {
  const runs = [good("0", 9000), ...Array.from({ length: 17 }, (_, at) => good(`${at + 1}`, 10)), bad("18")];
  const [usual] = usualTimes([...runs, good("19", 30), good("20", 40)], ["db"]);
  assert.deepEqual(usual, {
    actor: "db",
    op: "freeze",
    runs: 20,
    failed: 1,
    medianMs: 10,
    maxMs: 40,
    limitMs: 60_000,
    stillMs: 210,
  });
  assert.equal(usualTimes([good("1", 30), good("2", 10)], ["db"])[0]?.medianMs, 10, "the lower of two");
  assert.deepEqual(usualTimes(runs, ["mail"]), [], "it never took part");
  assert.equal(usualTimes([bad("1")], ["db"])[0]?.medianMs, null, "no run was good");
});

test("a line that is not a transaction is passed over", (t) => {
  const state = tempState(t);
  const history = new History(state, new WriteGate());
  assert.deepEqual(history.read(), []);
  appendFileSync(path.join(state.root, "history.jsonl"), '{"at":"2026\nnull\n{}\n');
  assert.deepEqual(history.read(), []);
});

test("a disk that cannot take the line costs no transaction", async (t) => {
  const { root, ...rest } = tempState(t);
  await new History({ ...rest, root: path.join(root, "gone") }, new WriteGate()).append(good("1", 1));
});
