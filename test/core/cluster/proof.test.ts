import assert from "node:assert/strict";
import test from "node:test";
import type { ClusterPart } from "#core/base/schema/types.js";
import { isOneInstant, proofSteps } from "#core/cluster/proof.js";

const hosts = ["app1", "app2"];
/** The clocks of two hosts have nothing in common. */
const part = (host: string, boot: number, takenRevision: number): ClusterPart => ({
  host,
  bootId: host,
  clusterId: "7",
  consistency: "application",
  taken: { at: boot + 12, revision: takenRevision },
  seen: { at: boot + 20, revision: 31 },
  hold: { heldAt: boot + 10, releaseAt: boot + 21 },
});
const parts = [part("app1", 1000, 30), part("app2", 900_000, 31)];
const change = (at: number, to: Partial<ClusterPart>): ClusterPart[] =>
  parts.map((one, index) => (index === at ? { ...one, ...to } : one));

test("parts of which each had seen that all held before it released prove one instant", () => {
  assert.ok(isOneInstant(parts, hosts));
  assert.ok(proofSteps(parts, hosts).every(({ holds }) => holds));
});

test("a break anywhere in the chain is found, and its host is named", () => {
  const broken: [why: string, ClusterPart[]][] = [
    ["app1 stated it before it held", change(0, { hold: { heldAt: 1013, releaseAt: 1021 } })],
    ["app1 released before it had seen the others", change(0, { hold: { heldAt: 1010, releaseAt: 1019 } })],
    ["app1 had not seen the last", change(0, { seen: { at: 1020, revision: 30 } })],
    ["app1 held nothing", change(0, { hold: null })],
    ["app2 was in another cluster", change(1, { clusterId: "8" })],
    ["app2 is missing", parts.slice(0, 1)],
  ];
  for (const [why, all] of broken) {
    assert.ok(!isOneInstant(all, hosts), why);
    const culprits = proofSteps(all, hosts).flatMap(({ holds, host }) => (holds ? [] : [host]));
    assert.deepEqual(new Set(culprits), new Set([why.slice(0, 4)]), why);
  }
});
