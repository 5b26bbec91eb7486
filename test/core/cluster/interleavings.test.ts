/** Three hosts and a requester, each with the real machine and the real rendezvous, over an engine in memory whose messages take random ways. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LimitsMs } from "#core/base/config/settings.js";
import { coordinate, type Fate } from "#core/cluster/coordinator.js";
import { ClusterKeys } from "#core/cluster/keys.js";
import { valueOf } from "#core/cluster/set-view.js";
import { clusterSteps, FakeHost, type HostFault } from "../../support/cluster/fake-host.js";
import { MemoryEngine, MemoryStore, type Travel } from "../../support/cluster/memory-engine.js";

const names = ["app1", "app2", "app3"];
const kinds = ["dies", "hangs", "withdraws", "answers late"] as const;
const faults: readonly HostFault[] = clusterSteps.flatMap((step) => kinds.map((kind) => ({ step, kind })));
const keys = new ClusterKeys("/holdstill/v1/");

interface Scenario {
  readonly faults: Readonly<Record<string, HostFault>>;
  /** The requester dies when the hosts are there. */
  readonly requesterDies?: HostFault["step"];
  /** Every limit, ms. */
  readonly limitMs: number;
}

const limitsOf = (ms: number): LimitsMs => {
  const parts = ["queue", "identify", "prepare", "freeze", "hold", "copy", "seal", "ready", "repair"] as const;
  return Object.fromEntries([...parts, "verdict", "complete", "abort"].map((part) => [part, ms])) as LimitsMs;
};

const randomly: Travel = { wait: () => (Math.random() < 0.5 ? Promise.resolve() : sleep(Math.random() * 3)) };

interface Ended {
  readonly hosts: readonly FakeHost[];
  readonly fate: Fate | null;
  readonly store: MemoryStore;
  readonly set: string;
}

let count = 0;

async function play({ faults: own, requesterDies, limitMs }: Scenario): Promise<Ended> {
  count += 1;
  const set = `20260101-000000-${String(count).padStart(6, "0")}`;
  const store = new MemoryStore();
  const limits = limitsOf(limitMs);
  const engine = new MemoryEngine(store, randomly);
  const plan = {
    key: "plan" as const,
    protocol: 1,
    hosts: names.map((host) => ({ host, targets: ["/srv"] })),
    tags: {},
    by: { name: "backup", bootId: "boot", pid: 1, at: "2026-01-01T00:00:00Z" },
  };
  const hosts = names.map(
    (name) =>
      new FakeHost({
        name,
        hosts: names,
        set,
        from: 1,
        store,
        keys,
        travel: randomly,
        limits,
        fault: own[name] ?? null,
        delayMs: 2.5 * limitMs,
      }),
  );
  const reach = { armed: limitMs, frozen: limitMs, taken: limitMs, sealed: limitMs };
  const death = new AbortController();
  const dead = new Promise<null>((resolve) => {
    death.signal.addEventListener("abort", () => resolve(null));
  });
  const fate = coordinate({
    engine,
    keys,
    set,
    plan,
    signal: new AbortController().signal,
    limits: { reach, settle: 4 * limitMs, write: 3000 },
    onChange: (view) => {
      if (requesterDies === undefined || !view.haveAllReached(requesterDies)) return;
      engine.isDead = true;
      death.abort();
    },
  });
  await Promise.all(hosts.map((host) => host.runAndRecover()));
  for (const host of hosts) await host.recover();
  const ended = await Promise.race([fate, dead]);
  for (const host of hosts) host.close();
  engine.close();
  return { hosts, fate: ended, store, set };
}

/** Never both, whatever happened: a commit, and a host that has not kept the set. */
function judge({ hosts, store, set, fate }: Ended, what: string): void {
  const fates = hosts.map((host) => host.fate);
  for (const host of hosts) {
    assert.ok(!host.isHeld, `${what}: ${host.name} holds at the end`);
    assert.ok(!host.isFrozen, `${what}: ${host.name} is frozen at the end`);
  }
  const verdicts = store.changes.flatMap(({ key, value }) => {
    const read = key === keys.of({ type: "verdict", set }) && value !== null ? valueOf(value) : null;
    return read?.key === "verdict" ? [read.verdict] : [];
  });
  assert.ok(verdicts.length <= 1, `${what}: there were two verdicts`);
  const expected = verdicts[0] === "commit" ? "kept" : "undone";
  assert.deepEqual(fates, [expected, expected, expected], `${what}: one fate, with the verdict ${verdicts[0]}`);
  if (fate !== null) assert.equal(fate.type, verdicts[0] === "commit" ? "commit" : "abort", what);
  if (expected === "undone") return;
  const [first, last] = [
    Math.max(...hosts.map(({ heldAt }) => heldAt ?? Infinity)),
    Math.min(...hosts.map(({ releasedAt }) => releasedAt ?? 0)),
  ];
  assert.ok(first < last, `${what}: committed, and there was no instant at which all held`);
  for (const { record } of hosts) assert.equal(record?.cluster?.instant, "atomic", what);
}

const describe = ({ faults: own, requesterDies }: Scenario): string =>
  [
    ...Object.entries(own).map(([host, { kind, step }]) => `${host} ${kind} at ${step}`),
    ...(requesterDies === undefined ? [] : [`the requester dies at ${requesterDies}`]),
  ].join(", ");

async function playAll(scenarios: readonly Scenario[]): Promise<number> {
  let kept = 0;
  for (let from = 0; from < scenarios.length; from += 150) {
    const batch = scenarios.slice(from, from + 150);
    const ended = await Promise.all(batch.map(play));
    batch.forEach((scenario, at) => {
      const end = ended[at];
      if (end === undefined) return;
      judge(end, describe(scenario));
      if (end.hosts.every(({ fate }) => fate === "kept")) kept += 1;
    });
  }
  return kept;
}

const short = { limitMs: 100 };
/** What decides here is who comes first, and no limit. */
const slow = { limitMs: 1000 };

test("three hosts without a fault take one set at one instant, in whatever order messages arrive", async () => {
  const scenarios = Array.from({ length: 50 }, () => ({ faults: {}, limitMs: 30_000 }));
  assert.equal(await playAll(scenarios), 50);
});

test("whatever one host does at any step, nothing stays held, and all hosts have one fate", async () => {
  const scenarios = names.flatMap((name) => faults.map((fault) => ({ faults: { [name]: fault }, ...short })));
  await playAll(scenarios);
});

test("whatever two hosts do at any two steps, nothing stays held, and all hosts have one fate", async () => {
  const scenarios = faults.flatMap((one) => faults.map((other) => ({ faults: { app1: one, app3: other }, ...short })));
  await playAll(scenarios);
});

test("a host that withdraws or dies while it votes is asked for by the verdict, or wins against it", async () => {
  const races = Array.from({ length: 100 }, () =>
    (["withdraws", "dies"] as const).map((kind) => ({ faults: { app2: { step: "sealed" as const, kind } }, ...slow })),
  ).flat();
  const kept = await playAll(races);
  assert.ok(kept > 0 && kept < races.length, `${kept} of ${races.length} were kept: both sides should win at times`);
});

test("when the requester dies at any step, also with a fault of a host, all hosts have one fate", async () => {
  const scenarios = clusterSteps.flatMap((requesterDies) => [
    { faults: {}, requesterDies, ...short },
    ...faults.map((fault) => ({ faults: { app2: fault }, requesterDies, ...short })),
  ]);
  await playAll(scenarios);
});
