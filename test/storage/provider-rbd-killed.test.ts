/** Whatever dies or hangs while provider-rbd works: nothing is left, and what cannot be asked is not called gone. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-rbd";
import type { SetList } from "#core/base/schema/types.js";
import { clusterFor, type Cluster } from "../support/ceph/cluster.js";
import { rbdVolume } from "../support/ceph/image-volume.js";
import { FUSE, instanceOn, listed, takeOne, transaction } from "../support/ceph/provider.js";
import { onEnd } from "../support/process/on-end.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { fileSystemsOf } from "../support/storage/file-systems.js";
import { tempDir } from "../support/storage/temp.js";

/** All that a transaction may leave in the cluster. */
const stateOf = (cluster: Cluster, images: readonly string[]): unknown => [
  cluster.images().toSorted(),
  images.map((image) => cluster.snapshots(image)),
];

test("the command line is killed in prepare, hold or seal, and recover leaves nothing", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const images = ["one", "two"];
  const targets = images.map((image) => rbdVolume(t, cluster, image).mount);
  const before = stateOf(cluster, images);
  const run = commandLine(t, cluster);
  for (const phase of ["prepare (", "hold (", "seal ("]) {
    const killed = await run(["create", ...targets], {
      onStderr: (text, child) => {
        if (text.includes(phase)) child.kill("SIGKILL");
      },
    });
    assert.equal(killed.exitCode, null, killed.stderr);
    const recovered = await run(["recover", "--yes"]);
    assert.equal(recovered.exitCode, 0, recovered.stderr);
    assert.deepEqual(stateOf(cluster, images), before, phase);
    for (const target of targets) writeFileSync(path.join(target, "file"), phase);
  }
});

test("the state directory is lost, and recover adopts the set that is in the cluster", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const { mount, image } = rbdVolume(t, cluster, "adopted");
  assert.equal((await commandLine(t, cluster)(["create", mount])).exitCode, 0);
  const fresh = commandLine(t, cluster);
  const adopted = await fresh(["recover", "--adopt", "--yes", "--json"]);
  assert.deepEqual((adopted.json() as { residue: unknown[] }).residue, [], adopted.stderr);
  const { sets } = (await fresh(["list", "--json"])).json() as SetList;
  assert.deepEqual(
    sets.map(({ targets }) => targets),
    [[mount]],
  );
  assert.equal((await fresh(["delete", sets[0]?.id ?? "", "--yes"])).exitCode, 0);
  assert.deepEqual(cluster.snapshots(image), []);
});

test("a cluster that does not respond is unreachable after the limit: its snapshots are neither lost nor removed", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const { mount, image } = rbdVolume(t, cluster, "asked");
  const call = instanceOn(t, cluster, { answerSeconds: 1 });
  const snapshot = await takeOne(instanceOn(t, cluster), mount);
  const own = await takeOne(call, mount);
  const daemons = [cluster.pause("mon"), cluster.pause("osd")];
  try {
    const view = { access: "read-only", at: tempDir(t) } as const;
    for (const work of [
      () => provider.list(call()),
      () => provider.remove(own, call()),
      () => provider.unexpose(own, call()),
      () => provider.expose(own, view, call()),
      () => provider.abort({ id: own.setId, cut: "atomic" }, call()),
    ])
      await assert.rejects(work(), { code: "UNREACHABLE", message: /did not respond within 1 s/, hint: /ceph/ });
  } finally {
    for (const { resume } of daemons) resume();
  }
  const patient = instanceOn(t, cluster);
  assert.equal((await listed(patient)).length, 2);
  for (const one of [own, snapshot]) await provider.remove(one, patient());
  assert.deepEqual(cluster.snapshots(image), []);
});

/** What a client sends last for a snapshot: its id was given out before, and the entry in the header makes it one (cls_rbd.cc). */
const lateRequest = `
import rados, rbd, struct, sys
conf, image, id = sys.argv[1:]
cluster = rados.Rados(conffile=conf)
cluster.connect()
pool = cluster.open_ioctx("rbd")
header = "rbd_header." + rbd.Image(pool, image, read_only=True).id()
pool.execute(header, "rbd", "snapshot_add", struct.pack("<I", 4) + b"late" + struct.pack("<Q", int(id)))
`;

test("a request for a snapshot that arrives after the abort, from a client that was killed, is refused by the cluster", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const { mount, image } = rbdVolume(t, cluster, "late");
  const call = instanceOn(t, cluster);
  const tx = transaction();
  await provider.prepare(tx, fileSystemsOf([mount]), call());
  const id = nextSnapshotId(t, cluster);
  const send = (): SpawnSyncReturns<string> =>
    spawnSync("/usr/bin/python3", ["-c", lateRequest, cluster.conf, image, `${id}`], { encoding: "utf8" });
  await provider.abort(tx, call());
  assert.notEqual(send().status, 0);
  assert.deepEqual([cluster.snapshots(image), await listed(call)], [[], []]);
});

/** One that the cluster gave out, and that no snapshot of an image with a later one may have. */
function nextSnapshotId(t: TestContext, cluster: Cluster): number {
  cluster.rbd("create", "--size", "8M", "other");
  onEnd(t, () => cluster.rbd("rm", "--no-progress", "other"));
  cluster.rbd("snap", "create", "--no-progress", "other@one");
  const [{ id = 0 } = {}] = JSON.parse(cluster.rbd("snap", "ls", "other", "--format", "json")) as { id?: number }[];
  cluster.rbd("snap", "rm", "--no-progress", "other@one");
  return id;
}

function commandLine(
  t: TestContext,
  { conf }: Cluster,
): (args: string[], options?: Parameters<typeof holdstill>[1]) => Promise<CliRun> {
  const dir = tempDir(t);
  const config = path.join(dir, "config.json");
  const plugins = [{ use: "provider-rbd", options: { conf, fuse: FUSE } }];
  writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins }));
  return (args, options) => holdstill([...args, "--config", config], options);
}
