/** How much room provider-lvm gives to snapshots, before LVM is asked for it. */
import assert from "node:assert/strict";
import test from "node:test";
import type { LogicalVolume } from "@holdstill/provider-lvm/dist/logical-volume.js";
import { sizesOf, spaceOf } from "@holdstill/provider-lvm/dist/space.js";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const inMiB = (origins: readonly LogicalVolume[], size: string): number[] =>
  sizesOf(origins, { size }).map((bytes) => bytes / MiB);

test("a share, an amount and the default are rounded up to whole extents", () => {
  const origin = thick("vg", 10 * GiB, 100 * GiB);
  assert.deepEqual(inMiB([origin], "20%ORIGIN"), [2048]);
  assert.deepEqual(inMiB([origin], "auto"), [2048]);
  assert.deepEqual(inMiB([origin], "3G"), [3072]);
  assert.deepEqual(inMiB([thick("vg", 1003 * MiB, 100 * GiB)], "10%ORIGIN"), [104]);
});

test("nothing is smaller than 16 MiB, or larger than a copy of the whole origin with its tables", () => {
  assert.deepEqual(inMiB([thick("vg", 40 * MiB, GiB)], "5%ORIGIN"), [16]);
  assert.deepEqual(inMiB([thick("vg", 40 * MiB, GiB)], "10T"), [48]);
  assert.deepEqual(inMiB([thick("vg", GiB, 10 * GiB)], "100%ORIGIN"), [1024]);
});

test("the snapshots of one volume group share what it has; another group's room is its own", () => {
  const [a, b] = [thick("one", 10 * GiB, 3 * GiB), thick("one", 5 * GiB, 3 * GiB)];
  assert.deepEqual(inMiB([a, b], "auto"), [2048, 1024]);
  const [tight, same] = [thick("one", 10 * GiB, 1536 * MiB), thick("one", 5 * GiB, 1536 * MiB)];
  assert.deepEqual(inMiB([tight, same, thick("two", 10 * GiB, 2 * GiB)], "auto"), [1024, 512, 2048]);
});

test("too little space is refused, with both numbers", () => {
  const tight = thick("one", 10 * GiB, 300 * MiB);
  for (const size of ["auto", "20%ORIGIN", "2G"]) {
    assert.throws(() => sizesOf([tight], { size }), {
      code: "NO_SPACE",
      message: /one has 300.0 MiB free; .* need 2\.0 GiB/,
    });
  }
});

test("the plan learns the least that a thick snapshot takes, and the limit of the group if it has one", () => {
  const origin = thick("vg", 10 * GiB, GiB);
  const free = { pool: "vg", freeBytes: GiB };
  assert.deepEqual(spaceOf(origin, [origin], { size: "auto" }), { ...free, neededBytes: 512 * MiB });
  const limited = { ...origin, vg: { ...origin.vg, volumes: { count: 7, limit: 8 } } };
  assert.deepEqual(spaceOf(limited, [limited], { size: "20%ORIGIN" }), {
    ...free,
    neededBytes: 2 * GiB,
    snapshots: { limit: 8, used: 7 },
  });
});

function thick(vg: string, bytes: number, freeBytes: number): LogicalVolume {
  return {
    vg: {
      name: vg,
      uuid: vg,
      extentBytes: 4 * MiB,
      freeBytes,
      isShared: false,
      isReadOnly: false,
      missingDisks: 0,
      volumes: { count: 1, limit: 0 },
    },
    name: "data",
    uuid: "data",
    tags: [],
    layout: ["linear"],
    role: ["public"],
    isActive: true,
    isOpen: true,
    isMerging: false,
    isReadOnly: false,
    bytes,
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
