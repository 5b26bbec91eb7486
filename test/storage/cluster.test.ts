/** One set over three hosts on this machine, with a real etcd, real keepers, and real file systems. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterSetDocument, SnapshotSet } from "#core/base/schema/types.js";
import { type ClusterHost, clusterOf, joined } from "../support/cluster/cluster-host.js";
import { EtcdServer, noEtcd } from "../support/cluster/etcd-server.js";
import { onEnd } from "../support/process/on-end.js";
import { thaw } from "../support/storage/freezable.js";
import type { CliRun } from "../support/process/command-line.js";
import { Counter, CounterBroken, verifyCounter } from "../support/storage/counter.js";

/** On a busy machine a host takes its time. */
async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    assert.ok(tries < 600, what);
    await sleep(100);
  }
}

const skip = process.getuid?.() === 0 ? noEtcd : "mounting needs root";
const names = ["app1", "app2", "app3"];

/** Whether thawing is refused, because nothing is frozen. */
const isFree = (host: ClusterHost): boolean => !thaw(host.volume);

/** Snapshots that the drivers have. A driver may be writing its file just now. */
const leftOnDrivers = (hosts: readonly ClusterHost[]): unknown[] =>
  hosts.flatMap(({ driver }) => {
    try {
      return driver.stored();
    } catch (error) {
      if (error instanceof SyntaxError) return ["not known"];
      throw error;
    }
  });

/** `create --cluster` of all volumes, which is not awaited. */
function request(
  hosts: readonly ClusterHost[],
  onStart: (child: ChildProcess) => void = () => undefined,
): Promise<CliRun> {
  const [first] = hosts;
  assert.ok(first);
  const targets = hosts.map(({ name, volume }) => `${name}=${volume}`);
  return first.run(["create", "--cluster", ...targets, "--json"], { onStart });
}

const slowly = { delayMs: 2000 };

/** A request of which two hosts hold and wait for the second, whose driver is slow. `ended`: all hosts are done with the set. */
async function heldRequest(
  hosts: readonly ClusterHost[],
  onStart?: (child: ChildProcess) => void,
): Promise<{ asked: Promise<CliRun>; ended: () => Promise<void> }> {
  const slow = hosts[1]?.driver;
  assert.ok(slow);
  const calls = slow.calls().length;
  const logged = new Map(hosts.map(({ name, log }) => [name, log.length]));
  const asked = request(hosts, onStart);
  let early: CliRun | null = null;
  void asked.then((run) => (early = run));
  await until(() => {
    assert.equal(early, null, "the request ended before the slow driver was asked");
    return slow
      .calls()
      .slice(calls)
      .some(({ method }) => /^Create.*Snapshot/.test(method));
  }, "the slow driver was asked");
  const isDone = ({ name, log }: ClusterHost): boolean =>
    /cluster set .*: (?:undone|failed-frozen|unsettled|kept)/.test(log.slice(logged.get(name)));
  return { asked, ended: () => until(() => hosts.every(isDone), "the hosts are done with the set") };
}

const documentOf = (run: CliRun): ClusterSetDocument => run.json() as ClusterSetDocument;

test(
  "sets over three hosts are of one instant, which each host's record proves; without the cluster they are not",
  { skip },
  async (t) => {
    const etcd = await EtcdServer.start(t);
    const hosts = await clusterOf(t, names, {
      cluster: { endpoints: [etcd.url], limits: { hold: "20s", pause: "1ms" } },
    });
    const [first] = hosts;
    assert.ok(first);
    const counter = await Counter.start(hosts.map(({ volume }) => volume));
    onEnd(t, () => counter.stop());
    const targets = hosts.map(({ name, volume }) => `${name}=${volume}`);
    const made = await first.run(["create", "--cluster", ...targets, "--name", "shop", "--json"]);
    assert.equal(made.exitCode, 0, made.stderr);
    const { set, instant, hosts: results } = made.json() as ClusterSetDocument;
    assert.equal(instant, "atomic");
    assert.deepEqual(
      results.map(({ host, fate }) => [host, fate]),
      names.map((name) => [name, "kept"]),
    );
    const alone = await Promise.all(hosts.map((host) => host.run(["create", host.volume, "--json"])));
    await counter.advance(3);
    const torn = await Promise.all(
      hosts.map((host, at) => host.expose((alone[at]?.json() as { set: SnapshotSet } | undefined)?.set.id ?? "")),
    );
    assert.throws(() => verifyCounter(torn), CounterBroken, "three sets taken at the same time, without the cluster");

    const shown = await Promise.all(hosts.map((host) => host.expose(set)));
    assert.ok(verifyCounter(shown) > 0);
    for (const host of hosts) {
      const record = await host.show(set);
      assert.deepEqual([record?.name, record?.cluster?.instant, record?.cluster?.self], ["shop", "atomic", host.name]);
      const proof = await host.run(["show", set, "--proof"]);
      assert.equal(proof.exitCode, 0, proof.stdout);
    }
    await until(() => etcd.keys().every((key) => key.endsWith("/presence")), "the keys of a settled set are removed");
  },
);

test(
  "whatever is killed while hosts hold, nothing stays frozen, no host keeps what others undo, and the next set succeeds",
  { skip },
  async (t) => {
    const etcd = await EtcdServer.start(t);
    const hosts = await clusterOf(t, names, {
      cluster: { endpoints: [etcd.url], limits: { hold: "8s", pause: "1ms" } },
      limits: { verdict: "6s" },
      scripts: { app2: { faults: { CreateSnapshot: slowly, CreateVolumeGroupSnapshot: slowly } } },
    });
    const [first, , third] = hosts;
    assert.ok(first && third);
    const undone = async (what: string): Promise<void> => {
      for (const host of hosts) {
        assert.ok(isFree(host), `${what}: ${host.name} is frozen`);
        assert.deepEqual(await host.sets(), [], `${what}: ${host.name} has kept a set`);
        const left = await host.run(["recover", "--dry-run"]);
        assert.deepEqual([left.exitCode, left.stdout.trim()], [0, "Nothing is left over."], `${what}: ${host.name}`);
      }
      assert.deepEqual(leftOnDrivers(hosts), [], what);
    };

    await t.test("kill -9 of a host's service", async () => {
      const { asked } = await heldRequest(hosts);
      await first.end("SIGKILL");
      await until(() => isFree(first), "the keeper of the killed host releases");
      await first.serve();
      const ended = documentOf(await asked);
      assert.deepEqual([ended.outcome, ended.instant], ["aborted", null]);
      assert.match(ended.error?.code ?? "", /^E_CLUSTER_(HOST|ABORTED)$/);
      await until(() => leftOnDrivers(hosts).length === 0, "all is undone");
      await undone("a host was killed");
    });

    await t.test("kill -9 of the requester", async () => {
      let requester: ChildProcess | null = null;
      const { asked, ended } = await heldRequest(hosts, (child) => (requester = child));
      (requester as ChildProcess | null)?.kill("SIGKILL");
      await asked;
      await ended();
      await until(() => leftOnDrivers(hosts).length === 0, "the hosts withdraw and undo");
      await undone("the requester was killed");
    });

    await t.test("kill -9 of etcd", async () => {
      const { asked, ended } = await heldRequest(hosts);
      await etcd.kill();
      await until(() => hosts.every(isFree), "the hosts release alone");
      await etcd.start();
      const { instant } = documentOf(await asked);
      await ended();
      // A host that had voted by then is in doubt, and is decided now. If all had, they may have kept the set.
      for (const host of hosts) await host.run(["recover", "--yes"]);
      const kept = await Promise.all(hosts.map((host) => host.sets()));
      assert.equal(new Set(kept.map(String)).size, 1, `one fate: ${JSON.stringify(kept)}`);
      const [[set] = []] = kept;
      if (set === undefined) assert.equal(instant, null);
      else for (const host of hosts) assert.equal((await host.run(["delete", set, "--yes"])).exitCode, 0);
      await until(() => leftOnDrivers(hosts).length === 0, "all is undone");
      await undone("etcd was killed");
    });

    await t.test("then a set succeeds, and the keys of the dead ones are removed", async () => {
      await joined(hosts);
      const made = documentOf(await request(hosts));
      assert.deepEqual([made.outcome, made.instant], ["created", "atomic"], JSON.stringify(made));
      await until(() => etcd.keys().every((key) => key.endsWith("/presence")), "no key of a set is left");
    });
  },
);
