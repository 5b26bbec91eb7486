/** SIGSTOP of the keeper, alone and together with the core: its watchdog sees it, and what was held is released meanwhile. */
import assert from "node:assert/strict";
import test from "node:test";
import { lapseError } from "#core/keeper/client/client.js";
import { stopped } from "../support/process/is-alive.js";
import { onEnd } from "../support/process/on-end.js";
import { refusalOf } from "../support/process/refusal.js";
import { isGone, Victim } from "../support/process/victim.js";
import { armed, freezables, sectionOf, thaw } from "../support/storage/freezable.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";

/** Longer than a test waits: if the limit released, it would be seen as a failure. */
const FAR_OFF_MS = 120_000;

test("core and keeper are stopped at once: what they hold is released while they are still stopped", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const probes = mounts.map((mount) => new WriteProbe(t, mount));
  for (const probe of probes) await probe.writesAfter(0);
  const victim = await Victim.start(t, mounts);
  const core = victim.process.pid ?? 0;
  onEnd(t, () => victim.process.kill("SIGCONT"));
  victim.say("hold");
  await victim.hears("held");
  for (const pid of [core, victim.keeperPid]) await stopped(pid);
  const from = monotonic();
  for (const probe of probes) {
    assert.ok((await probe.writesAfter(from)) > 0, `${probe.point} is writable`);
    assert.equal(thaw(probe.point), false, `${probe.point} is not left frozen`);
  }
  assert.ok(await isGone(victim.keeperPid), "it was killed");
});

test("the keeper alone is stopped: its hold fails long before the limit, and its core goes on", async (t) => {
  const mounts = freezables(t, 1, ["ext4"]);
  if (mounts === null) return;
  const [mount = ""] = mounts;
  const probe = new WriteProbe(t, mount);
  await probe.writesAfter(0);
  const keeper = await armed(t, sectionOf(mounts, FAR_OFF_MS));
  const { pid = 0 } = keeper;
  await keeper.hold();
  await stopped(pid);
  const from = monotonic();
  assert.ok((await probe.writesAfter(from)) > 0, "it is writable");
  const report = await keeper.release();
  assert.equal(lapseError(report)?.code, "E_HOLD_LAPSED");
  await keeper.disarm();
  assert.equal(thaw(mount), false);
});

test("a keeper that is stopped before it holds is killed, and the hold is refused", async (t) => {
  const mounts = freezables(t, 1, ["ext4"]);
  if (mounts === null) return;
  const keeper = await armed(t, sectionOf(mounts, FAR_OFF_MS));
  const { pid = 0 } = keeper;
  await stopped(pid);
  assert.equal((await refusalOf(keeper.hold())).code, "E_KEEPER");
  await keeper.disarm();
  assert.ok(await isGone(pid));
});
