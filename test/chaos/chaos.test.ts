/**
 * The coordinator is killed, stopped and starved at each step of a transaction that holds real file systems. After every blow they
 * are writable, nothing is frozen, and `recover` leaves nothing. HOLDSTILL_ROUNDS says how often each is done (default: once).
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freezables, thaw } from "../support/storage/freezable.js";
import { medianAndMax } from "../support/process/median-and-max.js";
import type { Misbehaviour } from "../support/fixture/misbehaving-plugins.js";
import { wholeMatrix } from "../support/whole-matrix.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { patientLimits, type Roles, Scene } from "../support/fixture/scene.js";
import { MemoryGroup } from "./memory-group.js";
import { type Moment, moments, Victim } from "./victim.js";

const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 1);

interface Blow {
  name: string;
  strike(victim: Victim): Promise<void> | void;
  /** How the command is run. */
  wrap?: (command: readonly string[]) => string[];
  moments: readonly Moment[];
  /** How long the commit lasts, ms: longer than the blow takes on a busy machine. */
  commitMs?: number;
}

/** How long volumes may stay held after a blow, ms: less than the limit of the hold, which would release them too. */
const PATIENCE_MS = 8000;

const late: readonly Moment[] = ["about to hold", "holding", "committing"];
const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

const blows: Blow[] = [
  { name: "kill -9", strike: (victim) => victim.strike("SIGKILL"), moments },
  {
    name: "SIGTERM to the process group",
    strike: (victim) => victim.strike("SIGTERM", "group"),
    moments: wholeMatrix ? moments : late,
  },
  {
    name: "SIGSTOP, and kill -9 later,",
    async strike(victim) {
      victim.strike("SIGSTOP");
      await sleep(1500);
      victim.strike("SIGKILL");
    },
    moments: late,
  },
  {
    name: "closing the terminal",
    wrap: (command) => ["script", "--quiet", "--flush", "--command", quoted(command), "/dev/null"],
    strike: (victim) => victim.strike("SIGKILL"),
    moments: wholeMatrix ? late : ["holding"],
  },
];

for (const blow of blows) {
  for (const moment of blow.moments) {
    test(`${blow.name} while ${moment}: all is writable, and nothing is left`, async (t) => {
      const mounts = freezables(t, 3, ["ext4", "xfs", "btrfs"]);
      if (mounts === null) return;
      for (const mount of mounts) writeFileSync(path.join(mount, "file"), "precious\n");
      const scribes = mounts.map((mount) => new WriteProbe(t, mount));
      for (const scribe of scribes) await scribe.writesAfter(0);
      const waits: number[] = [];
      for (let round = 0; round < rounds; round += 1) waits.push(...(await play(t, blow, moment, mounts, scribes)));
      t.diagnostic(`writable after ${medianAndMax(waits)}`);
    });
  }
}

test("when the memory of the control group runs out while volumes are held, the keeper is not the one that is killed", async (t) => {
  const group = MemoryGroup.make(t);
  const mounts = freezables(t, 3, ["ext4", "xfs", "btrfs"]);
  if (mounts === null || group === null) return;
  const scribes = mounts.map((mount) => new WriteProbe(t, mount));
  for (const scribe of scribes) await scribe.writesAfter(0);
  const blow: Blow = {
    name: "no memory",
    wrap: (command) => [...group.wrap, ...command],
    async strike(victim) {
      await group.exhaust();
      await victim.ended();
      assert.equal(victim.child.signalCode, "SIGKILL", "the kernel killed the coordinator");
    },
    moments: ["committing"],
    commitMs: 6000,
  };
  const waits = await play(t, blow, "committing", mounts, scribes);
  t.diagnostic(`writable after ${medianAndMax(waits)}`);
});

const commits = (moment: Moment, delayMs: number): Misbehaviour =>
  moment === "a thread of it is stuck on what is held" ? { when: "before", does: "stuck" } : { does: "late", delayMs };

/** One blow. @returns How long each file system stood still after it, ms. */
async function play(
  t: TestContext,
  blow: Blow,
  moment: Moment,
  mounts: readonly string[],
  scribes: readonly WriteProbe[],
): Promise<number[]> {
  const stage = new Scene(t);
  const roles: Roles = {
    limits: patientLimits,
    provider: { hold: mounts, pointInTime: true, in: "commit", ...commits(moment, blow.commitMs ?? 400) },
  };
  const victim = new Victim(t, stage, ["writer:app", ...mounts, "--config", stage.configFile(roles)], blow.wrap);
  await victim.reaches(moment);
  const struck = monotonic();
  await blow.strike(victim);
  await victim.ended();
  const waits: number[] = [];
  for (const scribe of scribes) {
    const wrote = await scribe.writesAfter(struck, PATIENCE_MS);
    assert.ok(wrote - struck < PATIENCE_MS, `${scribe.point} is writable again in time`);
    waits.push(wrote - struck);
  }
  for (const mount of mounts) assert.equal(thaw(mount), false, "nothing is left frozen");
  const recovered = await stage.run(["recover", "--yes", "--json"], roles);
  assert.equal(recovered.exitCode, 0, recovered.stdout + recovered.stderr);
  assert.equal(stage.isFrozen(), false, "the application goes on");
  assert.deepEqual(stage.stored(), stage.recorded(), "a set is whole, or not there");
  return waits;
}
