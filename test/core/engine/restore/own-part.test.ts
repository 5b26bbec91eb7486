/** What of a set is restored, and what its writers see of it. */
import assert from "node:assert/strict";
import test from "node:test";
import { ownPart } from "#core/engine/restore/own-part.js";
import { planRestore } from "#core/engine/restore/restore-plan.js";
import { exposedTrees } from "#core/engine/sets/exposed-trees.js";
import type { Repair, SnapshotSet } from "#core/base/schema/types.js";
import { sampleSet } from "../../../support/fixture/sample-set.js";

/** One snapshot with a fork, exposed, in which each of two writers has repaired, or failed to. */
function forked(...states: [Repair["state"], Repair["state"]]): SnapshotSet {
  const set = sampleSet();
  const [first] = set.snapshots;
  const [component] = set.components;
  const [writer] = set.writers;
  assert.ok(first !== undefined && component !== undefined && writer !== undefined);
  const snapshots = [
    { ...first, snapshot: { ...first.snapshot, id: "cut" } },
    { ...first, snapshot: { ...first.snapshot, id: "fork", of: "cut" } },
  ];
  const exposed = snapshots.map(({ by, snapshot: { id } }) => ({
    by: by.instance,
    snapshot: id,
    exposed: { trees: [{ original: "/db", path: `/shown/${id}` }], readOnly: true },
  }));
  return {
    ...set,
    snapshots,
    exposed,
    components: ["pg-main", "pg-shop"].map((name) => ({ ...component, writer: name })),
    writers: ["pg-main", "pg-shop"].map((instance, at) => ({
      ...writer,
      by: { ...writer.by, instance },
      repair: { state: states[at] ?? "repaired", in: ["fork"] },
    })),
  };
}

test("a repaired fork is restored in place of what was cut, or what was cut if that is asked for", () => {
  const set = forked("repaired", "repaired");
  assert.deepEqual(
    exposedTrees(set).map(({ path }) => path),
    ["/shown/fork"],
  );
  assert.deepEqual(
    exposedTrees(set, "as-cut").map(({ path }) => path),
    ["/shown/cut"],
  );
  assert.equal(planRestore(set, [], "/elsewhere").contents, "repaired");
  assert.equal(planRestore(set, [], "/elsewhere", "as-cut").contents, "as-cut");
});

test("a fork in which one of two repairs failed takes the place of nothing", () => {
  for (const set of [forked("repaired", "failed"), forked("failed", "repaired")])
    assert.deepEqual(
      exposedTrees(set).map(({ path }) => path),
      ["/shown/cut"],
    );
});

test("a writer sees its own components, and the snapshots that are restored", () => {
  const part = ownPart(forked("repaired", "repaired"), "pg-shop", "repaired");
  assert.deepEqual(
    part.components.map(({ writer }) => writer),
    ["pg-shop"],
  );
  assert.deepEqual(
    part.writers.map(({ by }) => by.instance),
    ["pg-shop"],
  );
  const restored = (contents: "repaired" | "as-cut"): string[] =>
    ownPart(forked("repaired", "repaired"), "pg-shop", contents).snapshots.map(({ snapshot }) => snapshot.id);
  assert.deepEqual([restored("repaired"), restored("as-cut")], [["fork"], ["cut"]]);
});
