/** kill -9 and SIGSTOP of the core at each step: the keeper releases. HOLDSTILL_ROUNDS sets how often (200 for a full run). */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freezables, thaw } from "../rig/freezable.js";
import { monotonic, Scribe } from "../rig/scribe.js";
import { isGone, Victim } from "../rig/victim.js";

const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 20);

/** Each brings the victim to a moment at which it is then killed. */
const moments = {
  "after arm": async () => {},
  "mid-hold": async (victim: Victim) => {
    victim.say("hold");
    await victim.hears("holding");
    await sleep(Math.random() * 30);
  },
  "before release": async (victim: Victim) => {
    victim.say("hold");
    await victim.hears("held");
    await sleep(Math.random() * 50);
  },
  "while releasing": async (victim: Victim) => {
    victim.say("hold");
    await victim.hears("held");
    victim.say("release");
    await victim.hears("releasing");
  },
} as const;

test(`kill -9 of the core, ${rounds} rounds over ${Object.keys(moments).length} moments: every file system is writable again`, async (t) => {
  const mounts = freezables(t, 3, ["ext4", "xfs", "btrfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((point) => new Scribe(t, point));
  const waits: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [moment, reach] of Object.entries(moments).slice(round % 4, (round % 4) + 1)) {
      const victim = await Victim.start(t, mounts);
      await reach(victim);
      const killed = monotonic();
      victim.process.kill("SIGKILL");
      assert.ok(await isGone(victim.keeperPid), `the keeper ended, ${moment}`);
      for (const scribe of scribes) {
        const wrote = await scribe.writesAfter(killed);
        assert.ok(wrote > 0, `${scribe.point} is writable, ${moment}, round ${round}`);
        (waits[moment] ??= []).push(wrote - killed);
        assert.equal(thaw(scribe.point), false, "nothing is left frozen");
      }
    }
  }
  for (const [moment, all] of Object.entries(waits)) t.diagnostic(`${moment}: writable after ${inWords(all)}`);
});

test("a core that is stopped is taken for dead after a second, and learns it when it goes on", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((point) => new Scribe(t, point));
  const victim = await Victim.start(t, mounts);
  victim.say("hold");
  await victim.hears("held");
  const stopped = monotonic();
  victim.process.kill("SIGSTOP");
  await sleep(300);
  const waits = await Promise.all(scribes.map((scribe) => scribe.writesAfter(stopped + 100)));
  for (const wait of waits) assert.ok(wait - stopped < 3000, "well before the limit of 8 s");
  t.diagnostic(`writable after ${inWords(waits.map((wait) => wait - stopped))}`);
  victim.process.kill("SIGCONT");
  victim.process.kill("SIGKILL");
  assert.ok(await isGone(victim.keeperPid));
});

function inWords(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const [half = 0, most = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `p50 ${half.toFixed(0)} ms, max ${most.toFixed(0)} ms (${all.length})`;
}
