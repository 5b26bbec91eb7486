/** Runs in a guest of the laboratory: how long volumes stand still there, one sample a line on the first serial line. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { open, type Engine } from "holdstill";
import { Counter } from "../../support/storage/counter.js";
import { tempDir } from "../../support/storage/temp.js";
import type { LabEvent } from "../../lab/events.js";
import { monotonic } from "../../support/storage/write-probe.js";
import { type Storage, storages } from "./storages.js";

const kernel = process.env["LAB_KERNEL"] ?? "";
const isQuick = process.env["HOLDSTILL_BENCH"] === "quick";
const counts = isQuick ? [2] : [1, 4, 16];
/** The more volumes, the longer LVM takes for what isn't measured, and the more each round has seen. */
const roundsOf = (count: number): number => (isQuick || count > 4 ? 1 : count > 1 ? 2 : 3);
/** What the writer rests after each step while nothing is measured, ms: the guest has one processor. */
const calm = 200;

function tell(table: string, of: string, way: string, ms: number): void {
  const event: LabEvent = { event: "measured", table, case: `${kernel}, ${of}`, way, ms };
  appendFileSync("/dev/ttyS0", `${JSON.stringify(event)}\n`);
}

test("a program is started", () => {
  for (let round = 0; round < 20; round += 1) {
    const begun = monotonic();
    execFileSync("dmsetup", ["version"], { stdio: "ignore" });
    tell("volumes process", "dmsetup version", "one process", monotonic() - begun);
  }
});
for (const [name, lay] of Object.entries(storages)) {
  test(`${name} volumes`, async (t) => {
    const storage = lay(t, Math.max(...counts));
    const dir = tempDir(t);
    const config = path.join(dir, "config.json");
    const places = { stateDir: `${dir}/state`, exposeDir: `${dir}/exposed` };
    writeFileSync(config, JSON.stringify({ ...places, plugins: storage.plugins }));
    const holdstill = await open({ config });
    for (const count of counts) await measure(holdstill, storage, count);
  });
}

async function measure(holdstill: Engine, storage: Storage, count: number): Promise<void> {
  const volumes = storage.volumes.slice(0, count);
  const of = `${count} ${storage.name}`;
  const folders = volumes.map(({ mount }) => `${mount}/counter`);
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  await using counter = await Counter.start(folders);
  const stalled = async (way: string, take: () => Promise<void> | void): Promise<void> => {
    counter.pace(0);
    await counter.advance(2);
    counter.lapWorstMs();
    await take();
    await counter.advance(2);
    tell("volumes stall", of, way, counter.lapWorstMs());
    counter.pace(calm);
  };
  for (let round = 0; round < roundsOf(count); round += 1) {
    await stalled("no snapshot is taken", () => counter.advance(5));
    await stalled("holdstill", async () => {
      const { set, error } = await holdstill.create({ targets: volumes.map(({ mount }) => mount) });
      if (set?.cut !== "atomic") throw new Error(`${of}: ${error?.message ?? "not of one instant"}`);
      tell("volumes", of, "holdstill", set.hold?.heldMs ?? Number.NaN);
    });
    await holdstill.remove("latest");
    await stalled("the best script", () => tell("volumes", of, "the best script", storage.script.take(volumes)));
    storage.script.undo(volumes);
    if (storage.inTurn === undefined) continue;
    const { take, undo } = storage.inTurn;
    await stalled("lvcreate, one after the other", () => {
      const begun = monotonic();
      take(volumes);
      if (count > 1)
        tell("volumes apart", of, "lvcreate, one after the other", (monotonic() - begun) * (1 - 1 / count));
    });
    undo(volumes);
  }
}
