/** What a later version of holdstill adds to the files of the state directory hides nothing from this one. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { Clock } from "#core/store/clock.js";
import { History } from "#core/store/history.js";
import { WriteGate } from "#core/store/write-gate.js";
import type { PastTransaction } from "#core/base/schema/types.js";
import { repository } from "../../support/repository.js";
import { tempState } from "../../support/fixture/state-directory.js";

const sampleFile = path.join(repository, "schemas/samples/valid/history.aborted.json");
const sample = JSON.parse(readFileSync(sampleFile, "utf8")) as PastTransaction;

test("a line of the history with a property that is not known counts", async (t) => {
  const state = tempState(t);
  const history = new History(state, new WriteGate());
  await history.append(sample);
  const file = path.join(state.root, "history.jsonl");
  writeFileSync(file, readFileSync(file, "utf8").replace("{", '{"tomorrow":1,'));
  assert.deepEqual(history.read(), [sample]);
});

test("the number of the next set goes on after a clock record with a property that is not known", (t) => {
  const state = tempState(t);
  const clock = new Clock(state);
  assert.equal(clock.next(() => 7).sequence, 8);
  const file = path.join(state.root, "clock.json");
  writeFileSync(file, readFileSync(file, "utf8").replace("{", '{"tomorrow":1,'));
  assert.equal(clock.next(() => 0).sequence, 9);
});
