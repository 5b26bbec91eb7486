import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestContext } from "node:test";
import { medianAndMax } from "./median-and-max.js";
import { monotonic, WriteProbe } from "../storage/write-probe.js";
import { isGone, Victim } from "./victim.js";

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

/** What is to be held, where it is written to, and whether it is still held: looking releases it. */
interface Held {
  readonly point: string;
  readonly mount: string;
  readonly isHeld: () => boolean;
}

/** kill -9 of a core, so many rounds, a moment after the other: what it held is writable again each time. */
export async function killCores(t: TestContext, held: readonly Held[], rounds: number): Promise<void> {
  const scribes = held.map(({ mount }) => new WriteProbe(t, mount));
  for (const scribe of scribes) await scribe.writesAfter(0);
  const waits: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    const all = Object.entries(moments);
    const [moment = "", reach] = all[round % all.length] ?? [];
    const victim = await Victim.start(
      t,
      held.map(({ point }) => point),
    );
    await reach?.(victim);
    const killed = monotonic();
    victim.process.kill("SIGKILL");
    assert.ok(await isGone(victim.keeperPid, 20_000), `the keeper ended, ${moment}`);
    for (const [at, scribe] of scribes.entries()) {
      const wrote = await scribe.writesAfter(killed);
      assert.ok(wrote > 0, `${scribe.point} is writable, ${moment}, round ${round}`);
      (waits[moment] ??= []).push(wrote - killed);
      assert.equal(held[at]?.isHeld(), false, `${scribe.point} is not left held, ${moment}, round ${round}`);
    }
  }
  for (const [moment, all] of Object.entries(waits)) t.diagnostic(`${moment}: writable after ${medianAndMax(all)}`);
}
