import assert from "node:assert/strict";
import test from "node:test";
import { repairMemory } from "#kit/repair-memory.js";

const mib = 1024 * 1024;

test("a repair gets memory for the pages that it changes, a quarter of what is available at most, and never less than a server's default", () => {
  assert.equal(repairMemory(600 * mib, 16_000 * mib), 600 * mib);
  assert.equal(repairMemory(600 * mib, 1600 * mib), 400 * mib);
  assert.equal(repairMemory(100_000 * mib, 16_000 * mib), 2048 * mib);
  assert.equal(repairMemory(0, 16_000 * mib), 128 * mib);
  assert.equal(repairMemory(600 * mib, 0), 128 * mib);
  assert.equal(repairMemory(200 * mib + 1, 16_000 * mib), 201 * mib);
});
