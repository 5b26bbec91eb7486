/** Who works on a transaction: the lock of its journal. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { Journal } from "#core/store/journal.js";
import { HolderProcess } from "../../support/process/holder-process.js";
import { tempState } from "../../support/fixture/state-directory.js";

const one = "20260102-030405-0000a1";

test("a journal belongs to the process that works on it, until that process is killed", async (t) => {
  const state = tempState(t);
  const other = new HolderProcess(t, "journal", state.root, one);
  assert.equal(await other.nextLine(), "mine");
  assert.equal(Journal.isHeld(state, one), true);
  assert.equal(Journal.open(state, one), null);
  await other.kill();
  assert.equal(Journal.isHeld(state, one), false);
  const journal = Journal.open(state, one);
  assert.ok(journal !== null);
  assert.equal(await new HolderProcess(t, "journal", state.root, one).nextLine(), "refused");
  journal.close();
});

test("what a dead process was about to start is waited for, and a process that lives is not", async (t) => {
  const state = tempState(t);
  const file = path.join(state.transactions, `${one}.jsonl`);
  writeFileSync(file, "");
  const { pid: dead } = spawnSync("true");
  // As a child between fork(2) and execve(2): it shares the open file, and is not the process that began the transaction.
  const child = spawn("flock", [file, "sh", "-c", "echo held; sleep 0.3"]);
  await once(child.stdout, "data");
  assert.equal(Journal.isHeld(state, one, process.pid), true);
  assert.equal(Journal.isHeld(state, one, dead), false);
  await once(child, "close");
});

test("asking whether a journal is held makes none", (t) => {
  const state = tempState(t);
  assert.equal(Journal.isHeld(state, one), false);
  assert.deepEqual(readdirSync(state.transactions), []);
});
