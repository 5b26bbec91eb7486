/** How snapshots are cut, and what they are worth by that. */
import assert from "node:assert/strict";
import test from "node:test";
import { isLowerConsistency, lowestConsistency } from "#core/plan/consistency.js";
import { cutOf, negotiate, volumeOnly } from "#core/plan/negotiate.js";
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

const cuts: [what: string, volumes: [provider: string, pointInTime: boolean, group?: string][], cut: Cut][] = [
  ["one volume at an instant is atomic, in a group or not", [["array", true]], "atomic"],
  [
    "two volumes with one key are atomic",
    [
      ["array", true, "db"],
      ["array", true, "db"],
    ],
    "atomic",
  ],
  [
    "two volumes with two keys are per volume",
    [
      ["array", true, "db"],
      ["array", true, "logs"],
    ],
    "per-volume",
  ],
  [
    "a volume without a key beside one with a key is per volume",
    [
      ["array", true, "db"],
      ["array", true],
    ],
    "per-volume",
  ],
  [
    "two volumes without keys are per volume",
    [
      ["btrfs", true],
      ["btrfs", true],
    ],
    "per-volume",
  ],
  [
    "two volumes of two instances are per volume, also with one key",
    [
      ["array-a", true, "db"],
      ["array-b", true, "db"],
    ],
    "per-volume",
  ],
  [
    "one that is copied makes the whole set fuzzy",
    [
      ["array", true, "db"],
      ["reflink", false, "db"],
    ],
    "fuzzy",
  ],
];

for (const [what, volumes, cut] of cuts) {
  test(`${what}: ${cut}`, () =>
    assert.equal(cutOf(volumes.map(([p, i, g], at) => plannedVolume(`8:${at}`, p, i, g))), cut));
}

const heldBy = (id: string, provider: string): PlannedVolume => {
  const { qualities, ...rest } = plannedVolume(id, provider, true);
  return { ...rest, qualities: { ...qualities, hold: [{ kind: "dm", name: provider }] } };
};

test("what the kernel holds all at once is of one instant, whoever takes the snapshot; what is not held is not", () => {
  assert.equal(cutOf([heldBy("8:1", "lvm"), heldBy("8:2", "dmsnap")]), "atomic");
  assert.equal(cutOf([heldBy("8:1", "lvm"), plannedVolume("8:2", "array", true)]), "per-volume");
  assert.equal(cutOf([heldBy("8:1", "lvm"), plannedVolume("8:2", "reflink", false)]), "fuzzy");
});

const flushing = (id: string): PlannedVolume => {
  const { qualities, ...rest } = plannedVolume(id, "btrfs", true);
  return { ...rest, qualities: { ...qualities, consistency: "filesystem" } };
};

const alone: [what: string, volumes: PlannedVolume[], worth: Consistency][] = [
  ["nothing is flushed", [plannedVolume("8:1", "array", true)], "crash"],
  ["the kernel holds it", [heldBy("8:1", "lvm")], "filesystem"],
  ["the storage itself flushes it", [flushing("8:1")], "filesystem"],
  ["one is held and another flushed, each of its own instant", [heldBy("8:1", "lvm"), flushing("8:2")], "filesystem"],
  ["one of two is not flushed", [flushing("8:1"), plannedVolume("8:2", "array", true)], "crash"],
  ["one is held, and another is copied", [heldBy("8:1", "lvm"), plannedVolume("8:2", "reflink", false)], "none"],
];

for (const [what, volumes, worth] of alone) {
  test(`without a writer, the consistency is ${worth} if ${what}`, () =>
    assert.equal(volumeOnly(volumes).consistency, worth));
}

const rawBy = (id: string, provider: string): PlannedVolume => ({
  ...heldBy(id, provider),
  volume: {
    kind: "block",
    id,
    devices: [{ name: "dm-1", number: id, kind: "lvm", sizeBytes: 1, lower: [] }],
    paths: [`/dev/mapper/${id}`],
  },
});

test("a raw device shares the instant of what is held with it, and nothing in it is flushed", () => {
  const volumes = [heldBy("8:1", "lvm"), rawBy("8:2", "lvm")];
  assert.equal(cutOf(volumes), "atomic");
  const places = volumes.map(({ volume }) => {
    const [path = ""] = volume.paths;
    return { requested: path, volume: volume.id, original: path };
  });
  const ownerless = places.map(({ requested }) => requested);
  assert.deepEqual(
    negotiate({ taken: [], ownerless }, volumes, places).map(({ component, promised }) => [component.kind, promised]),
    [
      ["files", "filesystem"],
      ["device", "crash"],
    ],
  );
});
