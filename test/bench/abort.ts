/** How late a deadline is kept on a machine that has too much to do, and how soon all is writable after kill -9. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { open } from "holdstill";
import type { Event } from "#core/base/schema/types.js";
import { atExit } from "../support/process/at-exit.js";
import { freezable } from "../support/storage/freezable.js";
import type { Fault } from "../support/fixture/misbehaving-plugins.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";
import { isGone, Victim } from "../support/process/victim.js";
import { Stay } from "./stay.js";
import { type Bench, Samples } from "./samples.js";

const limitMs = 150;
/** Transactions at a time. */
const AT_ONCE = 4;
const faults = ["hangs", "spins", "blocks"] as const satisfies Fault[];

export const abort: Bench = {
  name: "abort",
  async run({ quick, say }) {
    const late = new Samples();
    await using load = new Stay();
    for (let hog = 0; hog < availableParallelism(); hog += 1) spin(load);
    for (const does of faults) {
      say(does);
      for (let round = 0; round < (quick ? 1 : 42); round += 1) {
        const all = Array.from({ length: AT_ONCE }, async () => await lateness(does));
        for (const ms of await Promise.all(all)) {
          late.add(`a writer that ${does}`, "after the deadline", ms);
          late.add("all three", "after the deadline", ms);
        }
      }
    }
    const killed = new Samples();
    say("kill -9");
    for (let round = 0; round < (quick ? 2 : 30); round += 1) {
      killed.add("kill -9 while file systems are held", "until all can be written to", await untilWritable(3));
    }
    const ours = "after the deadline";
    return [
      { bench: "abort", about: "lateness of the freeze deadline, with all processors busy", ours, rows: late.rows },
      {
        bench: "abort kill",
        about: "the core is killed while 3 file systems are held, with all processors busy",
        ours: "until all can be written to",
        rows: killed.rows,
      },
    ];
  },
};

/** A process that keeps a processor busy. */
function spin({ t }: Stay): void {
  const hog = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  const kill = (): void => void hog.kill("SIGKILL");
  const callOff = atExit(kill);
  t.after(() => {
    callOff();
    kill();
  });
}

/** How long after its deadline a freeze that never answers was given up, ms. */
async function lateness(does: (typeof faults)[number]): Promise<number> {
  await using stay = new Stay();
  const stage = new Scene(stay.t);
  const runtime = does === "blocks" ? "process" : "thread";
  const limits = { ...patientLimits, freeze: `${limitMs * 2}ms` };
  const config = stage.configFile({ runtime, limits, writer: { in: "freeze", does, when: "before" } });
  const holdstill = await open({ config });
  let [limit, late] = [Number.NaN, Number.NaN];
  const onEvent = (event: Event): void => {
    if (event.type !== "call" || event.op !== "freeze") return;
    if (event.status === "begun") limit = event.limitMs ?? Number.NaN;
    if (event.status === "failed") late = (event.elapsedMs ?? Number.NaN) - limit;
  };
  const { outcome } = await holdstill.create({ targets: ["writer:app"] }, { onEvent });
  if (outcome !== "aborted" || Number.isNaN(late)) throw new Error(`a writer that ${does} was not aborted: ${outcome}`);
  return late;
}

async function untilWritable(count: number): Promise<number> {
  await using stay = new Stay();
  const { t } = stay;
  const mounts = Array.from({ length: count }, (_, at) => freezable(t, "ext4", `fs${at}`) ?? "");
  const scribes = mounts.map((mount) => new WriteProbe(t, mount));
  const victim = await Victim.start(t, mounts);
  for (const scribe of scribes) await scribe.writesAfter(0);
  victim.say("hold");
  await victim.hears("held");
  const killed = monotonic();
  victim.process.kill("SIGKILL");
  if (!(await isGone(victim.keeperPid))) throw new Error("the keeper did not end");
  const waits = await Promise.all(scribes.map(async (scribe) => await scribe.writesAfter(killed)));
  return Math.max(...waits) - killed;
}
