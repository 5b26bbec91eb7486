/** How snapshots are cut, and what they are worth by that. */
import assert from "node:assert/strict";
import test from "node:test";
import { isLowerConsistency, lowestConsistency } from "#core/plan/consistency.js";
import { volumeOnly, cutOf } from "#core/plan/negotiate.js";
import type { PlannedVolume } from "#core/plan/plan.js";
import type { Consistency, Cut } from "#core/base/schema/types.js";
import { plannedVolume } from "../../support/fixture/planned-volume.js";

test("of several consistencies the lowest counts, in the order application, filesystem, crash, none", () => {
  const order: Consistency[] = ["none", "crash", "filesystem", "application"];
  for (const [at, low] of order.entries()) {
    assert.equal(lowestConsistency(order.slice(at).toReversed()), low);
    for (const [other, high] of order.entries()) assert.equal(isLowerConsistency(low, high), at < other);
  }
  assert.equal(lowestConsistency([]), "none");
});

const cuts: [what: string, volumes: [provider: string, pointInTime: boolean, atomicGroup: boolean][], cut: Cut][] = [
  ["one volume at an instant is atomic, in a group or not", [["lvm", true, false]], "atomic"],
  [
    "two volumes in one group are atomic",
    [
      ["lvm", true, true],
      ["lvm", true, true],
    ],
    "atomic",
  ],
  [
    "two volumes of a provider without groups are per volume",
    [
      ["btrfs", true, false],
      ["btrfs", true, false],
    ],
    "per-volume",
  ],
  [
    "two volumes of two providers are per volume",
    [
      ["lvm", true, true],
      ["array", true, true],
    ],
    "per-volume",
  ],
  [
    "one that is copied makes the whole set fuzzy",
    [
      ["lvm", true, true],
      ["reflink", false, false],
    ],
    "fuzzy",
  ],
];

for (const [what, volumes, cut] of cuts) {
  test(`${what}: ${cut}`, () =>
    assert.equal(cutOf(volumes.map(([p, i, g], at) => plannedVolume(`8:${at}`, p, i, g))), cut));
}

const heldBy = (id: string, provider: string): PlannedVolume => {
  const { qualities, ...rest } = plannedVolume(id, provider, true, true);
  return { ...rest, qualities: { ...qualities, hold: [{ kind: "dm", name: provider }] } };
};

test("what the kernel holds all at once is of one instant, whoever takes the snapshot; what is not held is not", () => {
  assert.equal(cutOf([heldBy("8:1", "lvm"), heldBy("8:2", "dmsnap")]), "atomic");
  assert.equal(cutOf([heldBy("8:1", "lvm"), plannedVolume("8:2", "array", true, true)]), "per-volume");
  assert.equal(cutOf([heldBy("8:1", "lvm"), plannedVolume("8:2", "reflink", false, false)]), "fuzzy");
});

for (const [held, worth] of [
  [false, ["crash", "crash", "none"]],
  [true, ["filesystem", "filesystem", "none"]],
] as const) {
  test(`without a writer a snapshot is worth ${worth.join(", ")} by its cut, ${held ? "held" : "not held"}`, () => {
    const all = ["atomic", "per-volume", "fuzzy"] as const;
    assert.deepEqual(
      all.map((cut) => volumeOnly(cut, held).consistency),
      worth,
    );
  });
}
