/** Whoever is told of a phase or a call may interrupt from within the very listener. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { HoldstillError } from "#core/base/errors/error.js";
import { openEngine } from "#core/engine/engine.js";
import type { Event } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";

const moments = [
  ...["prepare", "freeze", "commit", "thaw", "seal"].map((phase) => `phase ${phase}`),
  ...["prepare", "freeze", "thaw", "seal"].flatMap((op) => [`${op} of app begun`, `${op} of app ok`]),
  ...["prepare", "commit", "seal"].flatMap((op) => [`${op} of store begun`, `${op} of store ok`]),
];

for (const moment of moments) {
  test(`a listener that interrupts at "${moment}" undoes the transaction`, async (t) => {
    const stage = new Scene(t);
    const requester = await openEngine({ config: stage.configFile() });
    const control = new AbortController();
    let after = "";
    const onEvent = (event: Event): void => {
      if (after !== "" && event.type === "phase") after += ` ${event.phase}`;
      if (momentOf(event) !== moment) return;
      after = "then";
      control.abort(new HoldstillError("E_INTERRUPTED", { signal: "the test" }));
    };
    const targets = [path.join(stage.app, "data")];
    const ended = await requester.create({ targets }, { onEvent, signal: control.signal });
    assert.equal(ended.outcome, "interrupted", ended.error?.message);
    assert.equal(after, "then abort");
    assert.deepEqual(ended.residue, []);
    assert.deepEqual([stage.isFrozen(), stage.stored(), requester.list().sets], [false, [], []]);
  });
}

function momentOf(event: Event): string {
  if (event.type === "phase") return `phase ${event.phase}`;
  return event.type === "call" ? `${event.op} of ${event.actor} ${event.status}` : "";
}
