/** What the history of transactions says of each plugin. */
import assert from "node:assert/strict";
import { appendFileSync, closeSync, existsSync, openSync, statSync, truncateSync, writeFileSync } from "node:fs";
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

const failure = (n: number, text: string): PastTransaction => ({
  at: new Date(n).toISOString(),
  outcome: "refused",
  targets: [text],
  cause: { code: "E_PLUGIN_FAILED", message: text, hint: text, details: { reason: text } },
  timeline: [],
});

test("the history does not grow without end: the oldest are dropped, and long texts are shortened", async (t) => {
  const state = tempState(t);
  const history = new History(state, new WriteGate());
  const files = ["history.jsonl", "history.1.jsonl"].map((name) => path.join(state.root, name));
  const size = (): number => files.reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);
  await history.append(failure(1, "x".repeat(1_000_000)));
  assert.ok(size() < 64 * 1024);
  assert.equal(history.read().length, 1, "a line that was shortened is whole");
  for (const file of files.slice(0, 1))
    appendFileSync(file, `${JSON.stringify(failure(2, "y".repeat(1000)))}\n`.repeat(4000));
  await history.append(failure(3, "z"));
  assert.equal(history.read().at(-1)?.targets[0], "z");
  assert.ok(history.read().length > 900, "those before are still read");
  appendFileSync(files[0] ?? "", `${JSON.stringify(failure(4, "y".repeat(1000)))}\n`.repeat(2500));
  await history.append(failure(5, "end"));
  appendFileSync(files[0] ?? "", `${JSON.stringify(failure(6, "y".repeat(1000)))}\n`.repeat(2500));
  await history.append(failure(7, "end"));
  assert.ok(size() < 20 * 1024 * 1024);
  assert.equal(history.read().at(-1)?.at, new Date(7).toISOString());
});

test("a history of 600 MB of an earlier version is read from its end", async (t) => {
  const state = tempState(t);
  const history = new History(state, new WriteGate());
  const file = path.join(state.root, "history.jsonl");
  closeSync(openSync(file, "w"));
  truncateSync(file, 600 * 1024 * 1024);
  appendFileSync(file, `\n${JSON.stringify(failure(1, "last"))}\n`);
  assert.deepEqual(
    history.read().map(({ targets }) => targets),
    [["last"]],
  );
  await history.append(failure(2, "next"));
  assert.deepEqual(
    history.read().map(({ targets }) => targets),
    [["last"], ["next"]],
  );
  assert.ok(statSync(file).size < 1024 * 1024);
});

test("a history that this user may not read is an error, not an empty one", (t) => {
  const state = tempState(t);
  writeFileSync(path.join(state.root, "history.jsonl"), "");
  const history = new History({ ...state, root: path.join(state.root, "history.jsonl") }, new WriteGate());
  assert.throws(() => history.read(), { code: "E_STATE_DIR" });
});
