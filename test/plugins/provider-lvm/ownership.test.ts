/** Which volumes provider-lvm takes for its own, and what it calls them. */
import assert from "node:assert/strict";
import test from "node:test";
import type { LogicalVolume } from "@holdstill/provider-lvm/dist/logical-volume.js";
import { deviceName } from "@holdstill/provider-lvm/dist/mapper.js";
import { ownOf, snapshotName } from "@holdstill/provider-lvm/dist/ownership.js";

const set = "20260101-000000-abcdef";
const tags = [`holdstill.set=${set}`, "holdstill.role=snapshot", "holdstill.volume=253:4"];

test("a volume is ours by its name and by its tags, and not by one of them", () => {
  assert.equal(ownOf(volume(`data-holdstill-${set}`, tags))?.captured, "253:4");
  for (const ending of ["-1", "-fork", "-1-fork", "-scratch", "-1-fork-scratch"]) {
    assert.notEqual(ownOf(volume(`data-holdstill-${set}${ending}`, tags)), null, ending);
  }
  for (const name of [
    `-holdstill-${set}`,
    "data",
    `data-holdstill-${set}x`,
    `data-holdstill-${set}-kept`,
    `data-${set}`,
  ]) {
    assert.equal(ownOf(volume(name, tags)), null, name);
  }
  for (const missing of tags) {
    const rest = tags.filter((tag) => tag !== missing);
    assert.equal(ownOf(volume(`data-holdstill-${set}`, rest)), null, missing);
  }
  assert.equal(
    ownOf(volume(`data-holdstill-${set}`, [...tags.slice(0, 1), "holdstill.role=boss", tags[2] ?? ""])),
    null,
  );
});

test("a long name is cut so that every device of the snapshot has one that the kernel takes, and two that begin alike differ", () => {
  const long = volume(`${"a-".repeat(50)}z`, []);
  const first = snapshotName(long, set, new Set());
  const second = snapshotName(long, set, new Set([first]));
  assert.notEqual(first, second);
  for (const name of [first, second]) {
    assert.ok(deviceName({ ...long, name: `${name}-fork-scratch` }, "view").length <= 127);
    assert.notEqual(ownOf(volume(name, tags)), null, name);
  }
  assert.equal(snapshotName(volume("data", []), set, new Set()), `data-holdstill-${set}`);
});

function volume(name: string, given: string[]): LogicalVolume {
  return {
    vg: {
      name: "vg",
      uuid: "vg",
      extentBytes: 2 ** 22,
      freeBytes: 0,
      isShared: false,
      isReadOnly: false,
      missingDisks: 0,
      volumes: { count: 1, limit: 0 },
    },
    name,
    uuid: name,
    tags: given,
    layout: ["linear"],
    role: ["public"],
    isActive: true,
    isOpen: true,
    isMerging: false,
    isReadOnly: false,
    bytes: 2 ** 30,
    origin: null,
    pool: null,
    thinId: null,
    full: { data: null, metadata: null },
    isInvalid: false,
    health: "",
    hasIntegrity: false,
    createdAt: "2026-01-01T00:00:00.000Z",
  };
}
