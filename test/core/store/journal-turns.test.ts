/** Many plugins answer at once: what the journal does with the lines of one turn of the event loop. */
import assert from "node:assert/strict";
import fs, { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import test from "node:test";
import type { JournalEntry } from "#core/base/schema/types.js";
import { Journal, journalFile } from "#core/store/journal.js";
import type { StateDir } from "#core/store/state-directory.js";
import type { TransactionOp } from "#core/transaction/machine.js";
import { tempState } from "../../support/fixture/state-directory.js";

const one = "20260102-030405-0000a1";

const asked = (actor: string, op: TransactionOp): JournalEntry => ({ entry: "asked", actor, op });
const ok = (actor: string, op: TransactionOp): JournalEntry => ({ entry: "answered", actor, op });

test("however many plugins answer in one turn of the event loop, their lines cost one fsync, and each is in the file when its write returns", async (t) => {
  const state = tempState(t);
  const journal = Journal.open(state, one);
  const fsync = t.mock.method(fs, "fsyncSync");
  syncBuiltinESMExports();
  t.after(() => {
    fsync.mock.restore();
    syncBuiltinESMExports();
  });
  const writers = Array.from({ length: 64 }, (_, n) => `db${n}`);
  await Promise.all(
    writers.map(async (writer) => {
      await journal?.write(asked(writer, "freeze"));
      assert.ok(readFileSync(journalFile(state, one), "utf8").includes(`"${writer}"`));
      await journal?.write(ok(writer, "freeze"));
    }),
  );
  assert.equal(fsync.mock.callCount(), 2);
  assert.deepEqual(linesOf(state), [
    ...writers.map((writer) => asked(writer, "freeze")),
    ...writers.map((writer) => ok(writer, "freeze")),
  ]);
  journal?.close();
});

test("lines that wait for the end of a turn are kept if the hold begins in it", async (t) => {
  const state = tempState(t);
  const journal = Journal.open(state, one);
  const before = journal?.write(ok("db", "freeze"));
  journal?.suspend();
  await Promise.all([before, journal?.write(asked("disk", "commit"))]);
  assert.equal(readFileSync(journalFile(state, one), "utf8"), "");
  await journal?.resume();
  assert.deepEqual(linesOf(state), [ok("db", "freeze"), asked("disk", "commit")]);
  journal?.close();
});

function linesOf(state: StateDir): unknown[] {
  const lines = readFileSync(journalFile(state, one), "utf8").trim().split("\n");
  return lines.map((line): unknown => JSON.parse(line));
}
