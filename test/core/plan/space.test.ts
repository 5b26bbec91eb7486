/** What a plan refuses because its provider has no place for it. */
import assert from "node:assert/strict";
import test from "node:test";
import { refuseSpace } from "#core/plan/space.js";
import type { PlannedVolume } from "#core/plan/plan.js";
import type { Space } from "holdstill/plugin";
import { plannedVolume } from "../../support/fixture/planned-volume.js";

function volume(provider: string, mountPoint: string, space: Space): PlannedVolume {
  const planned = plannedVolume(mountPoint, provider, true);
  return { ...planned, volume: { ...planned.volume, mountPoint }, qualities: { pointInTime: true, space } };
}

const half = { neededBytes: 600, freeBytes: 1000 };

test("volumes of one pool add up, those of two pools, of two providers, or without a pool do not", () => {
  refuseSpace([volume("a", "/1", half), volume("a", "/2", half)]);
  refuseSpace([volume("a", "/1", { ...half, pool: "x" }), volume("a", "/2", { ...half, pool: "y" })]);
  refuseSpace([volume("a", "/1", { ...half, pool: "x" }), volume("b", "/2", { ...half, pool: "x" })]);
  assert.throws(
    () => refuseSpace([volume("a", "/1", { ...half, pool: "x" }), volume("a", "/2", { ...half, pool: "x" })]),
    {
      code: "E_PLAN_SPACE",
      details: { provider: "a", pool: "x", volumes: ["/1", "/2"], neededBytes: 1200, freeBytes: 1000 },
    },
  );
});

test("a volume may need all that is free, and a provider need not know everything", () => {
  refuseSpace([volume("a", "/1", { neededBytes: 1000, freeBytes: 1000 })]);
  refuseSpace([volume("a", "/1", { neededBytes: 1000 }), volume("a", "/2", { freeBytes: 0 }), volume("a", "/3", {})]);
});

test("the snapshots of one pool are counted together", () => {
  const space = { pool: "x", snapshots: { limit: 8, used: 7 } };
  refuseSpace([volume("a", "/1", space)]);
  assert.throws(() => refuseSpace([volume("a", "/1", space), volume("a", "/2", space)]), {
    code: "E_PLAN_SNAPSHOTS",
    details: { provider: "a", pool: "x", volumes: ["/1", "/2"], limit: 8, used: 7 },
  });
});
