/** Stories of the machine: the author writes participants and events, the rest is generated. REWRITE=1 writes it anew. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { isEnd, initialState, advance, type TransactionEvent } from "#core/transaction/machine.js";
import { perform } from "../../support/fixture/transcript.js";
import { repository } from "../../support/repository.js";

const folder = path.join(repository, "test/core/transaction/transcripts");
const rewrite = process.env["REWRITE"] === "1";

for (const name of readdirSync(folder).toSorted()) {
  const file = path.join(folder, name);
  const written = readFileSync(file, "utf8");
  test(`story: ${written.split("\n")[0]?.replace(/^# /, "")}`, () => {
    const { text, state } = perform(written);
    assert.ok(isEnd(state), `${name} stops at ${state.type}`);
    if (rewrite) writeFileSync(file, text);
    else assert.equal(written, text, `${name} is not what the machine does; REWRITE=1 npm test -- transcript`);
  });
}

test("an event that cannot happen is a bug of the runner and is thrown", () => {
  const { state } = advance(
    initialState([{ id: "db", role: "writer", policy: "required", level: 1, repairs: false }]),
    {
      type: "start",
    },
  );
  const impossible: TransactionEvent[] = [
    { type: "start" },
    { type: "frozen", actor: "db", token: "t" },
    { type: "prepared", actor: "nobody", section: null },
    { type: "released", fault: null },
  ];
  for (const event of impossible) assert.throws(() => advance(state, event), Error, event.type);
});
