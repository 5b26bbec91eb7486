/** What every `create` and `recover` does with the state directory grows no faster than the number of its sets: calls are counted, not seconds. */
import assert from "node:assert/strict";
import fs, { utimesSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import test, { type TestContext } from "node:test";
import { Catalog } from "#core/store/catalog.js";
import { journalFile } from "#core/store/journal.js";
import { forgetUndone, readJournals } from "#core/store/journal-account.js";
import type { BegunEntry } from "#core/base/schema/types.js";
import { damage, emptySet } from "../../support/fixture/set-record.js";
import { tempState } from "../../support/fixture/state-directory.js";

const begun: Omit<BegunEntry, "id"> = {
  entry: "begun",
  version: 1,
  pid: 1,
  at: "2026-01-02T03:04:05.678Z",
  cut: "atomic",
  targets: ["/srv"],
  enlisted: [],
};

test("a set more, with its old journal, costs each transaction and each recovery a constant number of calls", (t) => {
  const [few, many] = [callsFor(t, 50), callsFor(t, 200)];
  assert.ok(few > 50, `${few}`);
  assert.ok(many <= 4.2 * few, `${few} calls for 50 sets, ${many} for 200`);
});

function callsFor(t: TestContext, sets: number): number {
  const state = tempState(t);
  const catalog = new Catalog(state);
  for (let n = 0; n < sets; n += 1) {
    const id = `20260102-${String(n).padStart(6, "0")}-0123ab`;
    if (n % 2 === 0) damage(state, id, JSON.stringify(emptySet(id)));
    writeFileSync(journalFile(state, id), `${JSON.stringify({ ...begun, id })}\n`);
    utimesSync(journalFile(state, id), 0, 0);
  }
  const isRecorded = (id: string): boolean => catalog.has(id);
  return counted(t, () => {
    forgetUndone(state, isRecorded);
    assert.equal(readJournals(state, isRecorded).accounts.length, sets);
  });
}

/** The calls of the file system that `work` makes. */
function counted(t: TestContext, work: () => void): number {
  let calls = 0;
  const mocks = Object.entries(fs).flatMap(([name, call]) => {
    if (!name.endsWith("Sync") || typeof call !== "function") return [];
    return t.mock.method(fs, name as "statSync", (...args: unknown[]): unknown => {
      calls += 1;
      return Reflect.apply(call, fs, args);
    });
  });
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    for (const { mock } of mocks) mock.restore();
    syncBuiltinESMExports();
  }
  return calls;
}
