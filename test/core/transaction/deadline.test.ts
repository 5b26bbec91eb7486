/** The arithmetic of limits. Times in ms. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import type { LimitsMs } from "#core/base/config/settings.js";
import { callLimit, freezeWindow, thawReserve } from "#core/transaction/deadline.js";
import type { TransactionOp } from "#core/transaction/machine.js";
import type { Cut } from "#core/base/schema/types.js";

const limits: LimitsMs = {
  queue: 600_000,
  identify: 30_000,
  prepare: 600_000,
  freeze: 60_000,
  hold: 10_000,
  copy: 3_600_000,
  seal: 300_000,
  ready: 600_000,
  repair: 1_800_000,
  verdict: 1_800_000,
  complete: 300_000,
  abort: 30_000,
};
const short: LimitsMs = { ...limits, freeze: 4000, copy: 2000, hold: 500 };

type Row = [
  what: string,
  op: TransactionOp,
  limits: LimitsMs,
  cut: Cut,
  frozenFor: number | null,
  ownFreeze: number | null,
  ms: number,
];
const table: Row[] = [
  ["prepare has its own limit", "prepare", limits, "atomic", null, 5, 600_000],
  ["seal has its own limit, however long applications were frozen", "seal", limits, "atomic", 90_000, null, 300_000],
  ["abort has its own limit, also in the freeze window", "abort", limits, "fuzzy", 59_999, null, 30_000],
  ["the first freeze leaves the reserve for thaw", "freeze", limits, "atomic", 0, null, 50_000],
  ["the reserve is a quarter of a short window", "freeze", short, "atomic", 0, null, 3000],
  ["a later level has what is left", "freeze", limits, "atomic", 30_000, null, 20_000],
  ["a plugin's own limit holds where it is lower", "freeze", limits, "atomic", 0, 20_000, 20_000],
  ["a plugin's own limit does not prolong what is left", "freeze", limits, "atomic", 45_000, 20_000, 5000],
  ["time for the copy is not time for freezing", "freeze", limits, "fuzzy", 0, null, 50_000],
  ["a freeze that is asked too late still has 1 ms", "freeze", limits, "atomic", 55_000, null, 1],
  ["a commit of an instant has the limit of hold", "commit", limits, "atomic", 1000, null, 10_000],
  ["a commit has no more than what is left for it", "commit", limits, "per-volume", 45_000, null, 5000],
  ["a commit without writers has the limit of hold", "commit", limits, "atomic", null, null, 10_000],
  ["without writers the freeze window says nothing", "commit", { ...short, hold: 9000 }, "atomic", null, null, 9000],
  ["a copy without writers has the limit of copy", "commit", limits, "fuzzy", null, null, 3_600_000],
  ["a copy under frozen applications prolongs their window", "commit", limits, "fuzzy", 1000, null, 3_600_000],
  ["a copy after a slow freeze has what is left", "commit", short, "fuzzy", 3500, null, 1500],
  ["thaw has what is left of the window", "thaw", limits, "atomic", 15_000, null, 45_000],
  ["a thaw that comes late has the reserve all the same", "thaw", limits, "atomic", 70_000, null, 10_000],
  ["thaw after a quick copy does not inherit the copy's hour", "thaw", limits, "fuzzy", 5000, null, 60_000],
  ["thaw in the tiniest of windows has 1 ms", "thaw", { ...limits, freeze: 1 }, "atomic", 100, null, 1],
];

for (const [what, op, given, cut, frozenFor, ownFreeze, ms] of table) {
  test(`${what}: ${ms} ms`, () => assert.equal(callLimit(op, given, { cut, frozenFor, heldFor: null, ownFreeze }), ms));
}

test("whatever the limits, freeze and commit end before the reserve for thaw begins, and no limit is below 1 ms", () => {
  const ms = fc.integer({ min: 1, max: 4_000_000 });
  const any = fc.record({ freeze: ms, hold: ms, copy: ms, prepare: ms, seal: ms, abort: ms });
  const cuts = fc.constantFrom<Cut[]>("atomic", "per-volume", "fuzzy");
  const ops = fc.constantFrom<TransactionOp[]>("prepare", "freeze", "commit", "thaw", "seal", "abort");
  fc.assert(
    fc.property(
      any,
      cuts,
      ops,
      fc.nat(8_000_000),
      fc.option(ms),
      fc.option(ms),
      (some, cut, op, frozenFor, heldFor, ownFreeze) => {
        const all = { ...limits, ...some };
        const limit = callLimit(op, all, { cut, frozenFor, heldFor, ownFreeze });
        assert.ok(limit >= 1);
        const left = freezeWindow(all, cut) - frozenFor - thawReserve(all);
        if (op === "freeze" || op === "commit") assert.ok(limit <= Math.max(1, left));
        if (op === "commit" && heldFor !== null) assert.ok(limit <= Math.max(1, all.hold - heldFor));
        if (op === "freeze") assert.ok(limit <= Math.max(1, ownFreeze ?? Infinity));
      },
    ),
  );
});
