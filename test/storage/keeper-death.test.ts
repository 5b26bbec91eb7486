/** kill -9 and SIGSTOP of the core at each step: the keeper releases. HOLDSTILL_ROUNDS sets how often (200 for a full run). */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freezables, thaw } from "../support/storage/freezable.js";
import { medianAndMax } from "../support/process/median-and-max.js";
import { killCores } from "../support/process/killed-core.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { isGone, Victim } from "../support/process/victim.js";

const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 20);

test(`kill -9 of the core, ${rounds} rounds: every file system is writable again`, async (t) => {
  const mounts = freezables(t, 3, ["ext4", "xfs", "btrfs"]);
  if (mounts === null) return;
  const held = mounts.map((mount) => ({ point: mount, mount, isHeld: () => thaw(mount) }));
  await killCores(t, held, rounds);
});

test("a stopped core is taken for dead after a second", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((mount) => new WriteProbe(t, mount));
  const victim = await Victim.start(t, mounts);
  victim.say("hold");
  await victim.hears("held");
  const stopped = monotonic();
  victim.process.kill("SIGSTOP");
  await sleep(300);
  const waits = await Promise.all(scribes.map((scribe) => scribe.writesAfter(stopped + 100)));
  for (const wait of waits) assert.ok(wait - stopped < 7000, "before the limit of 8 s");
  t.diagnostic(`writable after ${medianAndMax(waits.map((wait) => wait - stopped))}`);
  victim.process.kill("SIGCONT");
  victim.process.kill("SIGKILL");
  assert.ok(await isGone(victim.keeperPid));
});
