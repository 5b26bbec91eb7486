/** Files of lines: what a crash or a full disk has cut short spoils no other line. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { Audit } from "#core/store/audit.js";
import { History } from "#core/store/history.js";
import { appendLine } from "#core/store/line-file.js";
import { WriteGate } from "#core/store/write-gate.js";
import type { PastTransaction } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import { tempState } from "../../support/fixture/state-directory.js";
import { tempDir } from "../../support/storage/temp.js";

test("each line stands by itself, and only its owner may read the file", (t) => {
  const file = path.join(tempDir(t), "lines");
  for (const line of ["one", "two"]) appendLine(file, line);
  assert.equal(readFileSync(file, "utf8"), "one\ntwo\n");
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("after a line of the audit that was cut short the next one is whole", async (t) => {
  const state = tempState(t);
  const file = path.join(state.root, "audit.jsonl");
  const set = { id: "20260102-030405-0123ab" };
  const audit = new Audit(state, new WriteGate());
  await audit.note(null, "create", set);
  appendFileSync(file, '{"at":"2026-01-02T03:0');
  await audit.note(null, "delete", set);
  const [first = "", cut, last = "", ...rest] = readFileSync(file, "utf8").split("\n");
  for (const line of [first, last]) assert.ok(validate("audit", JSON.parse(line), file).ok, line);
  assert.deepEqual([cut, rest], ['{"at":"2026-01-02T03:0', [""]]);
});

test("after a line of the history that was cut short the next one is read", async (t) => {
  const state = tempState(t);
  const history = new History(state, new WriteGate());
  await history.append(past("first"));
  appendFileSync(path.join(state.root, "history.jsonl"), '{"at":');
  await history.append(past("second"));
  assert.deepEqual(
    history.read().map(({ name }) => name),
    ["first", "second"],
  );
});

const past = (name: string): PastTransaction => ({
  at: "2026-01-02T03:04:05.678Z",
  outcome: "created",
  name,
  targets: ["/srv"],
  timeline: [],
});
