import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { HoldstillError, toFault } from "#core/base/errors/error.js";
import { abortSet } from "#core/cluster/coordinator.js";
import { fateOfVoted } from "#core/cluster/fate.js";
import { HostRendezvous } from "#core/cluster/host-rendezvous.js";
import { ClusterKeys } from "#core/cluster/keys.js";
import { MemoryEngine, MemoryStore } from "../../support/cluster/memory-engine.js";
import { onEnd } from "../../support/process/on-end.js";

const keys = new ClusterKeys("/holdstill/v1/");
const set = "20260101-000000-000001";
const reason = { code: "E_INTERRUPTED", message: "Interrupted by SIGINT." };
const enough = 20_000;

/** Two hosts, and the requester, whose messages arrive at once. */
function meeting(t: TestContext): {
  store: MemoryStore;
  engine: MemoryEngine;
  app1: HostRendezvous;
  app2: HostRendezvous;
} {
  const store = new MemoryStore();
  const engine = new MemoryEngine(store, { wait: () => Promise.resolve() });
  const host = (self: string): HostRendezvous => {
    const hosts = ["app1", "app2"];
    const place = { engine: new MemoryEngine(store, { wait: () => Promise.resolve() }), keys, set, hosts, self };
    const rendezvous = new HostRendezvous({ ...place, bootId: self, from: 1 });
    onEnd(t, () => rendezvous.close());
    return rendezvous;
  };
  return { store, engine, app1: host("app1"), app2: host("app2") };
}

const codeOf = (error: unknown): string => toFault(error).code;

test("a host that waits is told at once when another one withdraws, with its name and its reason", async (t) => {
  const { app1, app2 } = meeting(t);
  const waiting = app1.reach("taken", enough);
  await app2.withdraw(reason);
  await assert.rejects(waiting, (error) => {
    assert.equal(codeOf(error), "E_CLUSTER_HOST");
    assert.deepEqual((error as HoldstillError<"E_CLUSTER_HOST">).details, { host: "app2", reason: reason.message });
    return true;
  });
  assert.equal((await app1.apart).code, "E_CLUSTER_HOST");
});

test("a host waits for no longer than its limit, and names the hosts that are late", async (t) => {
  const { app1 } = meeting(t);
  await assert.rejects(app1.reach("taken", 30), (error) => {
    assert.equal(codeOf(error), "E_CLUSTER_LATE");
    assert.deepEqual((error as HoldstillError<"E_CLUSTER_LATE">).details.hosts, ["app2"]);
    return true;
  });
});

test("at armed and frozen the requester is waited for as well, so that nothing is frozen for one that is gone", async (t) => {
  const { app1, app2 } = meeting(t);
  const both = [app1.reach("armed", 60), app2.reach("armed", 60)];
  await assert.rejects(both[0] ?? Promise.resolve(), (error) => {
    assert.deepEqual((error as HoldstillError<"E_CLUSTER_LATE">).details.hosts, ["the requester"]);
    return true;
  });
  await Promise.allSettled(both);
});

test("when the requester gives the set up, hosts that wait learn it with the reason, and no statement follows", async (t) => {
  const { engine, store, app1 } = meeting(t);
  const waiting = app1.reach("taken", enough);
  await sleep(5);
  await abortSet(engine, keys, set, reason, enough);
  await assert.rejects(waiting, (error) => codeOf(error) === "E_CLUSTER_ABORTED");
  const before = store.changes.length;
  await assert.rejects(app1.reach("taken", enough), (error) => codeOf(error) === "E_CLUSTER_ABORTED");
  assert.equal(store.changes.length, before);
});

test("a host that has not voted withdraws even if the engine is away; one that has is in doubt", async (t) => {
  const { store } = meeting(t);
  const silent = { wait: () => new Promise<void>(() => undefined) };
  const engine = new MemoryEngine(store, silent);
  const place = { engine, keys, set, hosts: ["app1"], self: "app1", bootId: "app1", from: 1 };
  const rendezvous = new HostRendezvous(place);
  onEnd(t, () => rendezvous.close());
  const withdrawn = await rendezvous.withdraw(reason);
  assert.equal(withdrawn.type, "abort");
  engine.read = () => Promise.reject(new HoldstillError("E_CLUSTER_UNREACHABLE", { endpoints: [], reason: "away" }));
  const fate = await fateOfVoted({ engine, keys, self: "app1", set });
  assert.equal(fate.type, "unknown");
  if (fate.type === "unknown") {
    assert.equal(fate.error.code, "E_CLUSTER_DOUBT");
    assert.match(fate.error.hint, new RegExp(keys.of({ type: "verdict", set })));
  }
});
