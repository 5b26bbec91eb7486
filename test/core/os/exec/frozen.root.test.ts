/** File systems that another program has frozen. */
import assert from "node:assert/strict";
import test from "node:test";
import { assertNotFrozen } from "#core/os/exec/frozen.js";
import { locate } from "#core/plan/locate.js";
import type { DoctorCheck, Volume } from "#core/base/schema/types.js";
import { holdstill } from "../../../support/process/command-line.js";
import { freezable, freeze, thaw } from "../../../support/storage/freezable.js";
import { tempDir } from "../../../support/storage/temp.js";

const volumeAt = (mountPoint: string): Volume => {
  const [volume] = locate([{ paths: [mountPoint], exclude: [] }]).volumes;
  return volume ?? assert.fail();
};

test("a frozen file system is refused without touching it, with the command that thaws it, and others are not", async (t) => {
  const [frozen, other] = [freezable(t, "ext4", "frozen"), freezable(t, "ext4", "other")];
  if (frozen === null || other === null) return;
  const volume = volumeAt(frozen);
  await assertNotFrozen(volume);
  assert.ok(freeze(frozen));
  await assert.rejects(assertNotFrozen(volume, 300), { code: "E_FROZEN", hint: new RegExp(`--unfreeze ${frozen}$`) });
  await assertNotFrozen(volumeAt(other));
  const released = assertNotFrozen(volume);
  assert.ok(thaw(frozen));
  await released;
});

test("plan, create, and doctor end although a file system is frozen, and name it alone", async (t) => {
  const frozen = freezable(t, "ext4", "frozen");
  if (frozen === null) return;
  const env = { HOLDSTILL_STATE_DIR: tempDir(t) };
  assert.ok(freeze(frozen));
  const [doctor, planned, created] = await Promise.all([
    holdstill(["doctor", "--json"], { env }),
    holdstill(["plan", frozen], { env }),
    holdstill(["create", frozen], { env }),
  ]);
  for (const ran of [planned, created]) {
    assert.equal(ran.exitCode, 3, ran.stderr);
    assert.match(ran.stderr, /is frozen, or its disk does not respond/);
  }
  const { checks } = doctor.json() as { checks: DoctorCheck[] };
  const named = checks.filter(({ found }) => found.includes("frozen, or its disk"));
  assert.deepEqual(
    named.map(({ found }) => found.startsWith(`${frozen}: `)),
    [true],
  );
  assert.equal(named[0]?.remedy, `If nothing needs that any more: fsfreeze --unfreeze ${frozen}`);
});
