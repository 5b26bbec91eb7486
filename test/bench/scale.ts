/** What one more writer and one more volume cost: the time that applications are frozen grows with the slowest, not with their number. */
import { writeFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { open } from "holdstill";
import { freezables } from "../support/storage/freezable.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { patientLimits } from "../support/fixture/scene.js";
import { tempDir } from "../support/storage/temp.js";
import { monotonic } from "../support/storage/write-probe.js";
import { Stay } from "./stay.js";
import { type Bench, median, Samples } from "./samples.js";

/** The slowest writer, ms. */
const slowMs = 200;

export const scale: Bench = {
  name: "scale",
  async run({ quick, say }) {
    const frozen = new Samples();
    const total = new Samples();
    const memory = new Samples();
    const processor = new Samples();
    const counts = quick ? [1, 4] : [1, 4, 16, 64];
    // One more dimension at a time: writers without a volume that is held, then volumes of 4 writers.
    const cases = [
      ...counts.map((count) => ({ of: `${count} writer${count === 1 ? "" : "s"}`, writers: count, held: 0 })),
      ...counts.map((count) => ({ of: `4 writers, ${count} held`, writers: 4, held: count })),
    ];
    for (const { of, writers, held } of cases) {
      say(of);
      for (let round = 0; round < (quick ? 1 : 3); round += 1) {
        await using stay = new Stay();
        const mounts = held === 0 ? [] : freezables(stay.t, held, ["ext4"]);
        const holdstill = await open({ config: configOf(tempDir(stay.t), writers, mounts ?? []) });
        const from = monotonic();
        const used = process.cpuUsage();
        const before = process.memoryUsage.rss();
        let most = before;
        const sampling = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
        const { set, error } = await holdstill.create({
          targets: Array.from({ length: writers }, (_, at) => `writer:app-${at}`),
        });
        clearInterval(sampling);
        if (set?.consistency !== "application") throw new Error(`the set was not made: ${error?.message}`);
        frozen.add(of, "frozen", set.frozenMs);
        total.add(of, "in all", monotonic() - from);
        memory.add(of, "memory", (most - before) / 2 ** 20, "MiB");
        const { user, system } = process.cpuUsage(used);
        processor.add(of, "processor time", (user + system) / 1000);
      }
    }
    const each = new Samples();
    for (const [what, { rows }] of Object.entries({ frozen, "in all": total, "processor time": processor, memory })) {
      const [one, most] = [rows[0], rows[counts.length - 1]];
      if (one === undefined || most === undefined) continue;
      const added = (counts.at(-1) ?? 1) - (counts[0] ?? 1);
      each.add("one more writer", what, (median(most.samples) - median(one.samples)) / added, one.unit);
    }
    return [
      { bench: "scale", about: `frozen; one of the writers takes ${slowMs} ms`, ours: "frozen", rows: frozen.rows },
      { bench: "scale total", about: "the whole transaction", ours: "in all", rows: total.rows },
      { bench: "scale memory", about: "what the process grew by", ours: "memory", rows: memory.rows },
      {
        bench: "scale processor",
        about: "processor time of the process",
        ours: "processor time",
        rows: processor.rows,
      },
      { bench: "scale each", about: "what one more writer adds", ours: "in all", rows: each.rows },
    ];
  },
};

/** Writers with an application each, in turn on these file systems, which are held. */
function configOf(dir: string, count: number, mounts: readonly string[]): string {
  const store = path.join(dir, "store");
  mkdirSync(store);
  const writers = Array.from({ length: count }, (_, at) => {
    const app = path.join(mounts[at % mounts.length] ?? dir, `app-${at}`);
    mkdirSync(path.join(app, "data"), { recursive: true });
    const slow = at === 0 ? { in: "freeze", does: "late", delayMs: slowMs } : {};
    return { use: "writer-that", as: `app-${at}`, options: { app, ...slow } };
  });
  const file = path.join(dir, "holdstill.json");
  const plugins = [{ use: "provider-that", options: { store, hold: mounts } }, ...writers];
  const places = {
    stateDir: path.join(dir, "state"),
    exposeDir: path.join(dir, "exposed"),
    pluginPaths: [pluginsThat],
  };
  writeFileSync(file, JSON.stringify({ ...places, limits: patientLimits, plugins }));
  return file;
}
