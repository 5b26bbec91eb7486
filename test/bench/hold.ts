/** How long N file systems stand still, by the keeper, by scripts, and by the bare system calls: the true floor. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lapseError } from "#core/keeper/client/client.js";
import { armed, freezables, sectionOf } from "../support/storage/freezable.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { Stay } from "./stay.js";
import { type Bench, type Options, type Result, Samples, scripts } from "./samples.js";

const REST_MS = 250;

/** Each holds all mounts and lets them go, and answers how long they were held, ms. */
const ways: Record<string, (mounts: string[], stay: Stay) => Promise<number>> = {
  async holdstill(mounts, stay) {
    const keeper = await armed(stay.t, { ...sectionOf(mounts), ops: [] });
    await keeper.hold();
    const report = await keeper.release();
    await keeper.disarm();
    const lapse = lapseError(report);
    if (lapse !== null) throw lapse;
    return report.heldMs;
  },
  "the best shell script": (mounts) => timed("sh", ["hold-parallel.sh", ...mounts]),
  "a script as most are written": (mounts) => timed("sh", ["hold-in-turn.sh", ...mounts]),
  "the bare ioctls, in turn": (mounts) => bare("in-turn", "usual", mounts),
  "the bare ioctls, in turn, RCU expedited": (mounts) => bare("in-turn", "hurried", mounts),
  "the bare ioctls, all at once, RCU expedited": (mounts) => bare("at-once", "hurried", mounts),
};

const bare = (how: string, pace: string, mounts: readonly string[]): Promise<number> =>
  timed("perl", ["hold-bare.pl", how, pace, ...mounts]);

/** A program that prints when it began to hold and when all was released, ns: its own start does not count. */
async function timed(command: string, [script = "", ...args]: string[]): Promise<number> {
  const output = execFileSync(command, [path.join(scripts, script), ...args], { encoding: "utf8" });
  const [began = 0, ended = 0] = output.trim().split("\n").map(Number);
  return (ended - began) / 1e6;
}

export const hold: Bench = {
  name: "hold",
  async run({ quick, say }: Options): Promise<Result[]> {
    const held = new Samples();
    const stalled = new Samples();
    for (const count of quick ? [1, 4] : [1, 4, 16, 64]) {
      await using stay = new Stay();
      const mounts = freezables(stay.t, count, ["ext4"]) ?? [];
      const scribe = new WriteProbe(stay.t, mounts[0] ?? "");
      await scribe.writesAfter(0);
      const of = `${count} file system${count === 1 ? "" : "s"}`;
      say(of);
      for (let round = 0; round < (quick ? 2 : 9); round += 1) {
        for (const [way, take] of Object.entries(ways)) {
          // A file system that was thawed just now is frozen again in no time: each way gets rested ones.
          await sleep(REST_MS);
          const from = monotonic();
          held.add(of, way, await take(mounts, stay));
          await scribe.writesAfter(monotonic());
          stalled.add(of, way, scribe.longestGap(from));
        }
      }
    }
    return [
      { bench: "hold", about: "I/O held, ext4 on loop devices", ours: "holdstill", rows: held.rows },
      {
        bench: "stall",
        about: "longest time that a program which writes every 2 ms stood still meanwhile",
        ours: "holdstill",
        rows: stalled.rows,
      },
    ];
  },
};
