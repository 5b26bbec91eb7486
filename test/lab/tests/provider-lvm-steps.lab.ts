/** provider-lvm is killed after each of its steps, and a blank worker's abort leaves everything as it was. */
import assert from "node:assert/strict";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Context } from "holdstill/plugin";
import { lvmSets, type Options, transaction, volumesOf } from "../support/lvm-set.js";
import { checkAll, furnish, mounts, stateOf } from "../support/lvm-state.js";
import { VolumeGroup } from "../support/volume-group.js";

test("after each program that prepare runs, an abort leaves nothing", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const { ctx } = lvmSets(t);
  const before = stateOf(vg);
  for (let left = 1; ; left += 1) {
    const tx = transaction();
    const prepared = provider.prepare(tx, volumesOf(mounts(volumes)), dyingAfter(left, ctx));
    const died = await prepared.then(
      () => false,
      () => true,
    );
    await provider.abort(tx, ctx);
    assert.equal(stateOf(vg), before, `after ${left} programs`);
    if (!died) break;
    assert.ok(left < 40);
  }
  checkAll(vg, volumes);
});

/** Runs so many programs that change something, and then no more, as if the worker had been killed. */
function dyingAfter(count: number, ctx: Context<Options>): Context<Options> {
  let left = count;
  return {
    ...ctx,
    exec: (...args) => {
      if (!["lvs", "table"].includes(args[1][0] ?? "")) left -= 1;
      return left < 0 ? Promise.reject(new Error("killed")) : ctx.exec(...args);
    },
  };
}
