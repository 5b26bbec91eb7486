/** Many requesters at a time: order, fairness, and memory. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Event, OperationDocument, SnapshotSet } from "#core/base/schema/types.js";
import { canMount } from "#core/os/exec/mount-tree.js";
import { mount } from "../../support/storage/loop-device.js";
import { Service } from "../../support/process/service.js";
import { patientLimits, Scene } from "../../support/fixture/scene.js";

const skip = canMount() ? false : "file systems of its own need mounts";
const requesters = 64;
const volumes = 8;
/** Transactions of the run that looks at memory: HOLDSTILL_ROUNDS=2000. */
const rounds = Number(process.env["HOLDSTILL_ROUNDS"] ?? 0);

/** As many small file systems. */
function fileSystems(t: TestContext, stage: Scene): string[] {
  return Array.from({ length: volumes }, (_, number) => {
    const at = path.join(stage.dir, `volume-${number}`);
    mount(t, ["-t", "tmpfs", "-o", "size=1m", "tmpfs"], at);
    writeFileSync(path.join(at, "file"), `${number}\n`);
    return at;
  });
}

const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
const startOf = (events: readonly Event[]): string => events.find(({ type }) => type === "phase")?.at ?? "never";

test(
  `${requesters} requesters on ${volumes} volumes: each volume in their order, nobody starved, no event lost`,
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const targets = fileSystems(t, stage);
    const service = await Service.start(t, stage, { limits: { ...patientLimits, queue: "5m", identify: "2m" } });
    const accepted: { id: string; target: string }[] = [];
    for (let number = 0; number < requesters; number += 1) {
      const target = targets[number % volumes] ?? "";
      const { id } = await service.create({ targets: [target], name: `requester-${number}` });
      accepted.push({ id, target });
    }
    const told = await Promise.all(
      accepted.map(async ({ id, target }) => {
        const events = await service.allEvents(id);
        assert.deepEqual(
          events.map(({ number }) => number),
          events.map((_, index) => index + 1),
        );
        return { id, target, events: events.map(({ event }) => event) };
      }),
    );
    for (const { id, events } of told) {
      const last = events.at(-1);
      assert.ok(last?.type === "ended" && last.outcome === "created" && last.set === id, JSON.stringify(last));
      const places = events.flatMap((event) => (event.type === "queued" ? (event.position ?? 0) : []));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => b - a),
        "one only comes forward",
      );
      assert.equal(events.filter(({ type }) => type === "begun").length, 1);
    }
    for (const target of targets) {
      const starts = told.filter((one) => one.target === target).map(({ events }) => startOf(events));
      assert.deepEqual(starts, starts.toSorted(), "who asked first was served first");
    }
    const { sets } = (await service.ask("GET", "/v1/sets")).json<{ sets: SnapshotSet[] }>();
    assert.deepEqual(
      sets.map(({ name = "" }) => name).toSorted(),
      accepted.map((_, number) => `requester-${number}`).toSorted(),
    );
    assert.equal(stage.stored().length, requesters);
  },
);

test("who is far back in the queue has no workers, which would only wait with it", async (t) => {
  const stage = new Scene(t);
  const hangs = { provider: { in: "prepare", does: "hangs" }, limits: { prepare: "5m", identify: "2m" } } as const;
  const service = await Service.start(t, stage, hangs);
  const threads = (): number => readdirSync(`/proc/${service.child.pid}/task`).length;
  const before = threads();
  const ids: string[] = [];
  for (let count = 0; count < 14; count += 1) ids.push((await service.create({ targets: ["writer:app"] })).id);
  const waiting = async (): Promise<number> => {
    const documents = await Promise.all(
      ids.map(async (id) => (await service.ask("GET", `/v1/operations/${id}`)).json<OperationDocument>()),
    );
    return documents.filter(({ state }) => state.type === "queued").length;
  };
  while ((await waiting()) < ids.length - 1) await sleep(50);
  // A writer and a provider: of the first, and of the four that are next.
  const most = before + 2 * 5;
  const until = Date.now() + 60_000;
  while (threads() > most && Date.now() < until) await sleep(50);
  assert.ok(threads() <= most, `${before} threads before, ${threads()} while ${ids.length} requesters wait`);
  for (const id of ids.toReversed()) await service.ask("DELETE", `/v1/operations/${id}`);
  for (const id of ids) assert.equal((await service.ended(id)).state.result.outcome, "interrupted");
});

const unasked =
  rounds === 0
    ? "HOLDSTILL_ROUNDS=2000 says over how many transactions; it takes about a third of a second each"
    : false;

test(`memory stays flat over ${rounds} transactions`, { skip: skip || unasked }, async (t) => {
  const stage = new Scene(t);
  const targets = fileSystems(t, stage);
  const service = await Service.start(t, stage, { limits: { ...patientLimits, queue: "5m", identify: "2m" } });
  const resident = (): number => {
    const status = readFileSync(`/proc/${service.child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  };
  const seen: number[] = [];
  let begun = 0;
  await Promise.all(
    targets.map(async (target) => {
      while (begun < rounds) {
        begun += 1;
        const { id } = await service.create({ targets: [target] });
        const { state } = await service.ended(id);
        assert.equal(state.result.outcome, "created", JSON.stringify(state.result.error));
        assert.equal((await service.ask("DELETE", `/v1/sets/${id}`)).status, 200);
        seen.push(resident());
      }
    }),
  );
  const half = Math.floor(seen.length / 2);
  const [early, late] = [median(seen.slice(0, half)), median(seen.slice(half))];
  t.diagnostic(`resident, MiB: median of the first half ${early.toFixed(0)}, of the second ${late.toFixed(0)}`);
  const tenths = Array.from({ length: 10 }, (_, tenth) =>
    median(seen.slice((tenth * seen.length) / 10, ((tenth + 1) * seen.length) / 10)),
  );
  t.diagnostic(`of each tenth: ${tenths.map((mib) => mib.toFixed(0)).join(" ")}`);
  assert.ok(late < early * 1.1, `${early.toFixed(0)} MiB, later ${late.toFixed(0)} MiB`);
  assert.deepEqual(stage.stored(), []);
});
