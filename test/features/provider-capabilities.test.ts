/** What a provider reports of its storage: the plan shows it, and create does nothing that does not fit. */
import assert from "node:assert/strict";
import test from "node:test";
import type { ProviderCapabilities } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";

const GiB = 1024 ** 3;

test("providers --volumes shows what a provider can do for a volume, also in JSON", async (t) => {
  const scene = new Scene(t);
  const provider = { pointInTime: true, group: "array-1", space: { freeBytes: GiB } };
  const text = (await scene.run(["providers", "--volumes"], { provider })).stdout.replaceAll(/\s+/g, " ");
  assert.match(text, /copy, of one instant, together with group array-1, writable, 1\.0 GiB free/);
  const { capabilities } = (await scene.run(["providers", "--volumes", "--json"], { provider })).json() as {
    capabilities: ProviderCapabilities[];
  };
  assert.deepEqual(capabilities[0]?.offers, ["preserve", "revert"]);
  assert.equal(capabilities[0].volumes[0]?.qualities.group, "array-1");
});

test("plan shows the space of the storage, and a set that does not fit is refused before any plugin is asked to prepare", async (t) => {
  const scene = new Scene(t);
  const space = { pool: "pool1", neededBytes: GiB, freeBytes: 3 * GiB, snapshots: { limit: 8, used: 7 } };
  const plan = await scene.run(["plan", "writer:app"], { provider: { space } });
  assert.match(plan.stdout, /needs 1\.0 GiB of 3\.0 GiB free, 7 of 8\s+snapshots/);

  const small = await scene.run(["create", "writer:app"], { provider: { space: { ...space, freeBytes: 1 } } });
  assert.equal(small.exitCode, 3, small.stderr);
  assert.match(small.stderr, /need 1\.0 GiB in pool1, where 1 B are free\.\n→ Delete sets or extend the storage/);
  const full = await scene.run(["create", "writer:app"], {
    provider: { space: { ...space, snapshots: { limit: 8, used: 8 } } },
  });
  assert.equal(full.exitCode, 3, full.stderr);
  assert.match(full.stderr, /allows 8 snapshots in pool1, and has 8/);
  assert.ok(!scene.calls("store").includes("prepare"));
});
