/** One instant over three file systems: a number that is written to each in turn is the same in all snapshots, or one step apart. */
import assert from "node:assert/strict";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Cut } from "#core/base/schema/types.js";
import type { TransactionResult } from "#core/engine/types.js";
import { Counter, CounterBroken, verifyCounter } from "../support/storage/counter.js";
import { freezables } from "../support/storage/freezable.js";
import { onEnd } from "../support/process/on-end.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 5);

/** Takes a set of all mounts while the counter runs. @returns The folders of the snapshots. */
async function snapshot(stage: Scene, mounts: readonly string[], hold: readonly string[], cut: Cut): Promise<string[]> {
  const provider = { hold, pointInTime: true, gapMs: 30 };
  const ran = await stage.run(["create", ...mounts, "--json"], { provider, limits: patientLimits });
  const { set } = ran.json() as TransactionResult;
  assert.equal(set?.cut, cut, ran.stdout + ran.stderr);
  // provider-that numbers its copies in the order of the plan.
  return mounts.map((mount) => {
    const number = set.volumes.findIndex((volume) => volume.kind !== "block" && volume.mountPoint === mount);
    return path.join(stage.store, set.id, String(number), mount);
  });
}

async function counting(t: TestContext): Promise<{ mounts: string[]; stage: Scene } | null> {
  const mounts = freezables(t, 3, ["ext4", "xfs", "btrfs"]);
  if (mounts === null) return null;
  const stage = new Scene(t);
  const counter = await Counter.start(mounts);
  onEnd(t, async () => void (await counter.stop()));
  return { mounts, stage };
}

test(`${rounds} sets of three volumes that the kernel holds are of one instant each`, async (t) => {
  const scene = await counting(t);
  if (scene === null) return;
  let last = 0;
  for (let round = 0; round < rounds; round += 1) {
    const count = verifyCounter(await snapshot(scene.stage, scene.mounts, scene.mounts, "atomic"));
    assert.ok(count > last, "it counted on in between");
    last = count;
  }
});

test("the same volumes cut one after the other are not, and the set claims nothing else", async (t) => {
  const scene = await counting(t);
  if (scene === null) return;
  const snapshots = await snapshot(scene.stage, scene.mounts, [], "per-volume");
  assert.throws(() => verifyCounter(snapshots), CounterBroken);
});
