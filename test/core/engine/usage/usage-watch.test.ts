import assert from "node:assert/strict";
import test from "node:test";
import { UsageWarnings } from "#core/engine/usage/usage-watch.js";
import type { Snapshot, SnapshotSet } from "#core/base/schema/types.js";
import { sampleSet } from "../../../support/fixture/sample-set.js";

type Now = Pick<Snapshot, "usage" | "lost">;

test("a room is warned of once when it becomes full, again after it was roomy, and a lost snapshot once", () => {
  const warnings = new UsageWarnings();
  const seen: Now[] = [
    ...[79, 80, 99, 78, 85, 74, 81].map(filled),
    { lost: "it overflowed" },
    { lost: "it overflowed" },
  ];
  const told = seen.map((now) => warnings.news([setWith(now), setWith(now)]));
  assert.deepEqual(
    told.map((faults) =>
      faults.map(({ code, details }) => `${code} ${String(details?.["percent"] ?? details?.["reason"])}`),
    ),
    [[], ["E_SPACE_LOW 80"], [], [], [], [], ["E_SPACE_LOW 81"], ["E_SNAPSHOT_LOST it overflowed"], []],
  );
});

function filled(percent: number): Now {
  return { usage: { percent, where: "vg/pool" } };
}

/** One of two sets whose snapshots lie in one pool. */
function setWith(now: Now): SnapshotSet {
  const set = sampleSet();
  const snapshots = set.snapshots.slice(0, 1).map((one) => ({ ...one, snapshot: { ...one.snapshot, ...now } }));
  return { ...set, snapshots };
}
