/** Journals as real files, and what recovery reads in them after each kind of ending. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { Journal } from "#core/store/journal.js";
import { forgetUndone, readJournals } from "#core/store/journal-account.js";
import type { JournalEntry } from "#core/base/schema/types.js";
import type { StateDir } from "#core/store/state-directory.js";
import type { TransactionOp } from "#core/transaction/machine.js";
import type { Who } from "#core/base/errors/details.js";
import { runScript } from "../../support/process/run-script.js";
import { tempState } from "../../support/fixture/state-directory.js";

const one = "20260102-030405-0000a1";
const db: Who = { role: "writer", instance: "db", plugin: "writer-postgres", version: "1.0.0" };
const disk: Who = { role: "provider", instance: "disk", plugin: "provider-lvm", version: "1.0.0" };
const fault = { code: "E_PLUGIN_FAILED", message: "it failed" };

const begun = (id: string): JournalEntry => ({
  entry: "begun",
  version: 1,
  id,
  pid: 1,
  at: "2026-01-02T03:04:05.678Z",
  cut: "atomic",
  targets: ["/srv"],
  enlisted: [{ who: db, cut: "atomic" }, { who: disk }],
});
const asked = (actor: string, op: TransactionOp): JournalEntry => ({ entry: "asked", actor, op });
const ok = (actor: string, op: TransactionOp): JournalEntry => ({ entry: "answered", actor, op });
const failed = (actor: string, op: TransactionOp): JournalEntry => ({ entry: "answered", actor, op, fault });
const frozen: JournalEntry = { entry: "answered", actor: "db", op: "freeze", token: { lsn: "0/1" } };
const ended = (outcome: "created" | "aborted", left: string[] = []): JournalEntry => ({
  entry: "ended",
  outcome,
  residue: left.map((actor) => ({ actor, fault })),
});

const stories: { title: string; entries: JournalEntry[]; owed: [instance: string, token: unknown][] }[] = [
  { title: "died before anybody was asked", entries: [], owed: [] },
  { title: "died while one prepared", entries: [asked("db", "prepare")], owed: [["db", null]] },
  {
    title: "died while an application was frozen",
    entries: [asked("db", "prepare"), asked("disk", "prepare"), ok("db", "prepare"), asked("db", "freeze"), frozen],
    owed: [
      ["db", { lsn: "0/1" }],
      ["disk", null],
    ],
  },
  {
    title: "died in freeze, before the answer was written",
    entries: [asked("db", "prepare"), ok("db", "prepare"), asked("db", "freeze")],
    owed: [["db", null]],
  },
  {
    title: "died while it undid",
    entries: [asked("db", "freeze"), frozen, asked("disk", "prepare"), asked("db", "abort"), ok("db", "abort")],
    owed: [["disk", null]],
  },
  {
    title: "died after an abort that failed",
    entries: [asked("db", "freeze"), frozen, asked("db", "abort"), failed("db", "abort")],
    owed: [["db", { lsn: "0/1" }]],
  },
  { title: "was undone", entries: [asked("db", "freeze"), asked("db", "abort"), ended("aborted")], owed: [] },
  {
    title: "was undone but for one",
    entries: [asked("db", "freeze"), frozen, asked("disk", "prepare"), ended("aborted", ["db"])],
    owed: [["db", { lsn: "0/1" }]],
  },
  { title: "was created", entries: [asked("db", "freeze"), frozen, ok("db", "thaw"), ended("created")], owed: [] },
  {
    title: "was created, and left something of one that was left out",
    entries: [asked("db", "freeze"), asked("db", "abort"), failed("db", "abort"), ended("created", ["db"])],
    owed: [["db", null]],
  },
  {
    title: "was recovered later",
    entries: [asked("db", "freeze"), ended("aborted", ["db"]), asked("db", "abort"), ended("aborted")],
    owed: [],
  },
];

for (const { title, entries, owed } of stories) {
  test(`of a transaction that ${title}, ${owed.map(([who]) => who).join(" and ") || "nobody"} is owed an abort`, async (t) => {
    const state = tempState(t);
    await write(t, state, one, [begun(one), ...entries]);
    const {
      accounts: [account],
    } = readJournals(state, () => false);
    assert.deepEqual(
      account?.owed.map(({ enlisted, token }) => [enlisted.who.instance, token]),
      owed,
    );
    assert.equal(account?.ended !== null, entries.at(-1)?.entry === "ended");
  });
}

test("if a crash cut the last line short, abort is owed to all, and to none if it is the first line", async (t) => {
  const state = tempState(t);
  await write(t, state, one, [begun(one), asked("db", "prepare")]);
  appendFileSync(fileOf(state, one), '{"entry":"asked","actor":"disk","o');
  assert.deepEqual(
    readJournals(state, () => false).accounts[0]?.owed.map(({ enlisted }) => enlisted.who.instance),
    ["db", "disk"],
  );
  writeFileSync(fileOf(state, one), JSON.stringify(begun(one)).slice(0, 80));
  assert.deepEqual(
    readJournals(state, () => false),
    { accounts: [], unreadable: [] },
  );
});

test("whatever happens to its bytes, a journal that owes something never reads as one that owes nothing", async (t) => {
  const state = tempState(t);
  const entries = [
    begun(one),
    asked("db", "prepare"),
    ok("db", "prepare"),
    asked("db", "freeze"),
    frozen,
    asked("disk", "prepare"),
  ];
  await write(t, state, one, entries);
  const file = fileOf(state, one);
  const whole = readFileSync(file);
  const first = whole.indexOf("\n");
  const changed = (at: number, bytes: string): Buffer => {
    const copy = Buffer.from(whole);
    copy.write(bytes, at, "latin1");
    return copy;
  };
  const everyFifth = [...whole.keys()].filter((at) => at % 5 === 0);
  const mutations = everyFifth.flatMap((at) => [
    changed(at, "\0"),
    changed(at, "\0\0"),
    changed(at, "x"),
    Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]),
    ...(at > first ? [whole.subarray(0, at)] : []),
  ]);
  for (const mutation of mutations) {
    writeFileSync(file, mutation);
    const { accounts, unreadable } = readJournals(state, () => false);
    const isLeft = unreadable.length > 0 || (accounts[0] !== undefined && accounts[0].ended === null);
    assert.ok(isLeft, mutation.toString("latin1"));
  }
});

test("a line that cannot be read makes abort due for all that took part, and for no one once the set has its record", async (t) => {
  const state = tempState(t);
  const owed = (isRecorded: boolean): string[] | undefined =>
    readJournals(state, () => isRecorded).accounts[0]?.owed.map(({ enlisted }) => enlisted.who.instance);
  for (const line of [
    '{"entry":"as\0\0d","actor":"db","op":"freeze"}',
    '{"entry":"asked","actor":"dc","op":"freeze"}',
  ]) {
    writeFileSync(fileOf(state, one), `${JSON.stringify(begun(one))}\n${line}\n`);
    assert.deepEqual(owed(false), ["db", "disk"], line);
    assert.deepEqual(owed(true), [], line);
  }
  await write(t, state, one, [ended("aborted")]);
  assert.deepEqual(owed(false), [], "recovery's end is the last word");
});

test("a journal of a later version is told apart from a damaged one, and an unknown property from both", (t) => {
  const state = tempState(t);
  const read = (line: object): unknown => {
    writeFileSync(fileOf(state, one), `${JSON.stringify(line)}\n`);
    const { accounts, unreadable } = readJournals(state, () => false);
    return unreadable[0]?.state ?? accounts[0]?.id;
  };
  assert.equal(read({ ...begun(one), version: 2, enlisted: "otherwise" }), "newer");
  assert.equal(read({ ...begun(one), cut: "nice" }), "damaged");
  assert.equal(read(begun("20260102-030405-0000b2")), "damaged");
  assert.equal(read(asked("db", "freeze")), "damaged");
  assert.equal(read({ ...begun(one), tomorrow: 1 }), one);
});

test("what recovery writes after a line that a crash cut short can be read", async (t) => {
  const state = tempState(t);
  await write(t, state, one, [begun(one), asked("db", "prepare")]);
  appendFileSync(fileOf(state, one), '{"entry":"answered","actor":"db","o');
  await write(t, state, one, [ended("aborted")]);
  assert.deepEqual(readJournals(state, () => false).accounts[0]?.ended, ended("aborted"));
});

test("a line that the disk has no room for is an error, and what is written when there is room again can be read", async (t) => {
  const state = tempState(t);
  const source = `
    import assert from "node:assert/strict";
    import { truncateSync } from "node:fs";
    import { stateDir } from "#core/store/state-directory.js";
    import { Journal } from "#core/store/journal.js";
    const state = stateDir(process.env.STATE);
    const journal = Journal.open(state, "${one}");
    await journal.write(${JSON.stringify(begun(one))});
    const entry = (n) => ({ entry: "asked", actor: "db".repeat(n), op: "prepare" });
    await assert.rejects(journal.write(entry(10_000)), { code: "EFBIG" });
    truncateSync(${JSON.stringify(fileOf(state, one))}, 3000);
    await journal.write(${JSON.stringify(ended("aborted"))});`;
  // The largest file that this shell and its children may write: 8 blocks of 512 bytes.
  const { stderr, exitCode } = await runScript(source, { STATE: state.root }, "ulimit -f 8");
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(readJournals(state, () => false).accounts[0]?.ended, ended("aborted"));
});

test("journals are read oldest first, and a file without a beginning is none", async (t) => {
  const state = tempState(t);
  for (const id of ["20260102-030405-bbbbbb", "20250102-030405-cccccc", "20260102-030405-aaaaaa"])
    await write(t, state, id, [begun(id)]);
  writeFileSync(path.join(state.transactions, "empty.jsonl"), "");
  writeFileSync(path.join(state.transactions, "notes.txt"), "hello");
  assert.deepEqual(
    readJournals(state, () => false).accounts.map(({ id }) => id),
    ["20250102-030405-cccccc", "20260102-030405-aaaaaa", "20260102-030405-bbbbbb"],
  );
});

test("of transactions that were undone whole only the old ones are forgotten", async (t) => {
  const state = tempState(t);
  const old = new Date(Date.now() - 31 * 24 * 3_600_000);
  const ids = ["undone", "recent", "left", "open", "recorded"].map((name, at) => [name, `20260101-00000${at}-00000a`]);
  const names = new Map(ids.map(([name, id]) => [id ?? "", name ?? ""]));
  for (const [id, name] of names) {
    const end = name === "open" ? [] : [ended("aborted", name === "left" ? ["db"] : [])];
    await write(t, state, id, [begun(id), asked("db", "freeze"), ...end]);
    if (name !== "recent") utimesSync(path.join(state.transactions, `${id}.jsonl`), old, old);
  }
  const isRecorded = (id: string): boolean => names.get(id) === "recorded";
  forgetUndone(state, isRecorded);
  assert.deepEqual(
    readJournals(state, isRecorded).accounts.map(({ id }) => names.get(id)),
    ["recent", "left", "open", "recorded"],
  );
});

test("whoever only looks is never in the way of who works on the transaction", async (t) => {
  const state = tempState(t);
  await write(t, state, one, [begun(one)]);
  // As Journal.isHeld, and slower.
  const source = `
    import { closeSync, openSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { flockShared } from "#core/os/libc.js";
    for (let n = 0; n < 10; n += 1) {
      const fd = openSync(${JSON.stringify(fileOf(state, one))}, "r");
      flockShared(fd);
      await sleep(20);
      closeSync(fd);
      await sleep(20);
    }`;
  const looking = runScript(source);
  let over: Awaited<typeof looking> | null = null;
  while (over === null) {
    await write(t, state, one, []);
    over = await Promise.race([looking, new Promise<null>((resolve) => setImmediate(resolve, null))]);
  }
  assert.equal(over.exitCode, 0, over.stderr);
});

test("a line is in the file when write returns", async (t) => {
  const state = tempState(t);
  const journal = Journal.open(state, one);
  await journal?.write(asked("db", "freeze"));
  assert.equal(readFileSync(fileOf(state, one), "utf8"), '{"entry":"asked","actor":"db","op":"freeze"}\n');
  journal?.close();
});

const fileOf = (state: StateDir, id: string): string => path.join(state.transactions, `${id}.jsonl`);

async function write(t: TestContext, state: StateDir, id: string, entries: JournalEntry[]): Promise<void> {
  const journal = Journal.open(state, id);
  assert.ok(journal !== null, `${t.name}: somebody else holds ${id}`);
  for (const entry of entries) await journal.write(entry);
  journal.close();
}
