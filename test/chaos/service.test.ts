/**
 * The service is killed in each phase of a transaction that holds real file systems, while others ask for sets of other volumes.
 * After every blow all is writable, the next service undoes what was begun, and says of each operation what became of it.
 * HOLDSTILL_ROUNDS says how often each is done (default: once).
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginOp } from "#core/host/isolation/operations.js";
import { freezables, thaw } from "../support/storage/freezable.js";
import { medianAndMax } from "../support/process/median-and-max.js";
import { childrenOf } from "../support/process/keepers.js";
import { mount } from "../support/storage/loop-device.js";
import type { Misbehaviour } from "../support/fixture/misbehaving-plugins.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { Service } from "../support/process/service.js";
import { patientLimits, type Roles, Scene } from "../support/fixture/scene.js";
import { isGone } from "../support/process/victim.js";
import { Watched } from "./watched.js";

const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 1);

/** How long volumes may stay held after a blow, ms: less than the limit of the hold, which would release them too. */
const PATIENCE_MS = 8000;

interface Moment {
  name: string;
  /** Who makes it last. */
  writer?: Misbehaviour & Record<string, unknown>;
  provider?: Misbehaviour & Record<string, unknown>;
  /** What has happened by then: a phase was told, a plugin was called. */
  phase: string;
  called?: ["app" | "store", string];
  /** Within how many ms from then it strikes. */
  within: number;
}

const hangs = (op: PluginOp): { in: PluginOp; does: "late"; delayMs: number } => ({
  in: op,
  does: "late",
  delayMs: 60_000,
});

const moments: readonly Moment[] = [
  { name: "while it prepares", provider: hangs("prepare"), phase: "prepare", called: ["store", "prepare"], within: 20 },
  { name: "while the keeper is armed", phase: "arm", within: 100 },
  {
    name: "while applications freeze",
    writer: hangs("freeze"),
    phase: "freeze",
    called: ["app", "freeze"],
    within: 20,
  },
  { name: "when it is about to hold", phase: "hold", within: 0 },
  { name: "while it holds", phase: "hold", within: 12 },
  {
    name: "while snapshots are taken",
    provider: hangs("commit"),
    phase: "hold",
    called: ["store", "commit"],
    within: 200,
  },
  {
    name: "while a thread of it is stuck on what is held",
    provider: { in: "commit", when: "before", does: "stuck" },
    phase: "hold",
    called: ["store", "commit"],
    within: 200,
  },
  { name: "while applications thaw", writer: hangs("thaw"), phase: "thaw", called: ["app", "thaw"], within: 20 },
  { name: "while snapshots are sealed", provider: hangs("seal"), phase: "seal", called: ["store", "seal"], within: 20 },
  {
    name: "while snapshots are repaired",
    writer: { ...hangs("repair"), repair: "always" },
    phase: "repair",
    called: ["app", "repair"],
    within: 20,
  },
  { name: "when the set is about to be recorded", phase: "seal", called: ["store", "seal"], within: 60 },
  {
    name: "while all is undone",
    writer: { in: "prepare", does: "throws" },
    provider: hangs("abort"),
    phase: "abort",
    called: ["store", "abort"],
    within: 20,
  },
];

for (const moment of moments) {
  test(`kill -9 of the service ${moment.name}: all is writable, nothing is left, and everybody is told what became of it`, async (t) => {
    const mounts = freezables(t, 2, ["ext4", "xfs"]);
    if (mounts === null) return;
    for (const point of mounts) writeFileSync(path.join(point, "file"), "precious\n");
    const scribes = mounts.map((point) => new WriteProbe(t, point));
    for (const scribe of scribes) await scribe.writesAfter(0);
    const waits: number[] = [];
    const outcomes: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { waited, outcome } = await play(t, moment, mounts, scribes);
      waits.push(...waited);
      outcomes.push(outcome);
    }
    t.diagnostic(`writable after ${medianAndMax(waits)}; the operation: ${[...new Set(outcomes)].join(", ")}`);
  });
}

/** One blow. @returns How long each file system stood still after it, ms, and what the next service says of the operation. */
async function play(
  t: TestContext,
  moment: Moment,
  mounts: readonly string[],
  scribes: readonly WriteProbe[],
): Promise<{ waited: number[]; outcome: string }> {
  const stage = new Scene(t);
  const others = ["other-0", "other-1"].map((name) =>
    mount(t, ["-t", "tmpfs", "-o", "size=1m", "tmpfs"], path.join(stage.dir, name)),
  );
  const good = configOf(stage, mounts, others, {});
  const service = await Service.start(t, stage, { config: configOf(stage, mounts, others, moment) });
  const watched = [await Watched.create(service, { targets: ["writer:app", ...mounts] })];
  const victim = watched[0] as Watched;
  // Under load: others go on with sets of theirs, one after the other, until the service is gone.
  const load = others.map(async (target) => {
    for (;;) {
      const next = await Watched.create(service, { targets: [target] }).catch(() => null);
      if (next === null) return;
      watched.push(next);
      if ((await next.over) === "cut off") return;
    }
  });

  const { phase, called, within } = moment;
  const isCalled = (): boolean => called === undefined || stage.calls(called[0]).includes(called[1]);
  while (!victim.phases.has(phase) || !isCalled()) {
    assert.equal(victim.ended, null, `it ended before: ${JSON.stringify(victim.ended)}`);
    await sleep(1);
  }
  await sleep(Math.random() * within);
  const keepers = childrenOf(service.child.pid ?? 0, "keeper/process/main.js");
  const struck = monotonic();
  await service.stop("SIGKILL");

  const waited: number[] = [];
  for (const scribe of scribes) {
    const wrote = await scribe.writesAfter(struck, PATIENCE_MS);
    assert.ok(wrote - struck < PATIENCE_MS, `${scribe.point} is writable again in time`);
    waited.push(wrote - struck);
  }
  for (const pid of keepers) assert.ok(await isGone(pid, 10_000), "the keeper goes");
  for (const point of mounts) assert.equal(thaw(point), false, "nothing is left frozen");
  await Promise.all(load);
  assert.ok(victim.ended !== null || (await victim.over) === "cut off", "who watches is not told an end that is none");

  const next = await Service.start(t, stage, { config: good });
  assert.equal(stage.isFrozen(), false, "the application goes on");
  for (const one of watched) await one.judge(next);
  const made = await Watched.create(next, { targets: ["writer:app", ...mounts] });
  await made.over;
  assert.equal(made.ended?.outcome, "created", JSON.stringify(made.ended));
  assert.deepEqual([...stage.stored(), ...otherStore(stage).stored].toSorted(), stage.recorded().toSorted());
  const outcome = await victim.outcomeAt(next);
  await next.stop();
  return { waited, outcome };
}

function otherStore(stage: Scene): { dir: string; stored: string[] } {
  const dir = path.join(stage.dir, "other-store");
  mkdirSync(dir, { recursive: true });
  return { dir, stored: Scene.storedIn(dir) };
}

/** A config in which the volumes of the others have a provider of their own. */
function configOf(stage: Scene, hold: readonly string[], only: readonly string[], { writer, provider }: Roles): string {
  const config = stage.configFile({
    limits: patientLimits,
    ...(writer === undefined ? {} : { writer }),
    provider: { ...provider, hold, pointInTime: true },
  });
  const settings = JSON.parse(readFileSync(config, "utf8")) as { plugins: object[] };
  const other = { use: "provider-that", as: "other", options: { store: otherStore(stage).dir, only } };
  writeFileSync(config, JSON.stringify({ ...settings, plugins: [other, ...settings.plugins] }));
  return config;
}
