/** provider-rbd on a Ceph cluster of one node: what it captures, shows, rolls back, and refuses. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Snapshot } from "holdstill/plugin";
import provider from "@holdstill/provider-rbd";
import { Client } from "@holdstill/provider-rbd/dist/client.js";
import { Cluster, clusterFor } from "../support/ceph/cluster.js";
import { groupOf, rbdVolume } from "../support/ceph/image-volume.js";
import { instanceOn, listed, shown, take, takeOne, transaction } from "../support/ceph/provider.js";
import { fileSystemsOf } from "../support/storage/file-systems.js";

/** Writes a file, and waits until it is on disk: nothing is held here. */
function put(mount: string, text: string): void {
  writeFileSync(path.join(mount, "file"), text);
  execFileSync("sync", ["-f", mount]);
}

const textIn = (folder: string): string => readFileSync(path.join(folder, "file"), "utf8");

test("a volume that is not on an image is not captured, and the cluster is not asked", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  // Without rbd-fuse, images that other tests have mapped meanwhile are not seen.
  const call = instanceOn(t, cluster, { conf: "/nonexistent/ceph.conf" }, {});
  const [root] = fileSystemsOf(["/"]);
  assert.equal(await provider.match(root ?? assert.fail(), call()), null);
  assert.deepEqual(await listed(call), []);
  await provider.abort(transaction(), call());
});

test("an image with an odd name is captured with XFS on it, and renamed, its snapshots are found", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const volume = rbdVolume(t, cluster, "data ünd 'so' $HOME;#1", { fsType: "xfs" });
  const call = instanceOn(t, cluster);
  put(volume.mount, "before");
  const snapshot = await takeOne(call, volume.mount);
  put(volume.mount, "after");
  assert.equal(textIn(await shown(t, call, snapshot)), "before");
  await provider.unexpose(snapshot, call());
  volume.unmount();
  cluster.rbd("rename", "--pool", "rbd", "--image", volume.image, "--dest", "renamed");
  assert.deepEqual(
    (await listed(call)).map(({ id, lost }) => [id, lost]),
    [[snapshot.id, undefined]],
  );
  assert.equal(textIn(await shown(t, call, snapshot, "scratch")), "before");
  await provider.remove(snapshot, call());
  assert.deepEqual([cluster.snapshots("renamed"), cluster.images()], [[], ["renamed"]]);
  cluster.rbd("rename", "--pool", "rbd", "--image", "renamed", "--dest", volume.image);
});

test("the members of a group are captured by one snapshot of it, which is exposed as a copy and removed with the last", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const names = ["first", "second", "third"];
  const volumes = names.map((name) => rbdVolume(t, cluster, name));
  groupOf(t, cluster, "all of them", names);
  const call = instanceOn(t, cluster, { groups: "always" });
  const two = volumes.slice(0, 2).map(({ mount }) => mount);
  const [volume] = fileSystemsOf(two);
  const support = await provider.match(volume ?? assert.fail(), call());
  assert.equal(support?.method, "snapshot of the group all of them, exposed by a full copy");
  assert.equal(support.space?.fork, "copies");
  for (const mount of two) put(mount, "before");
  const [one = assert.fail(), other = assert.fail()] = await take(call, two);
  for (const mount of two) put(mount, "after");
  assert.equal(cluster.snapshots("third").length, 1);
  for (const snapshot of [one, other]) assert.equal(textIn(await shown(t, call, snapshot)), "before");
  const fork = (await provider.fork?.(one, call())) ?? assert.fail();
  await provider.remove(one, call());
  assert.deepEqual(
    (await listed(call)).map(({ id }) => id),
    [other.id, fork.id],
  );
  assert.equal(cluster.snapshots("first").length, 1);
  await assert.rejects(async () => provider.revert?.(other, call()), {
    code: "UNSUPPORTED",
    hint: /rbd group snap rollback/,
  });
  await provider.remove(other, call());
  assert.deepEqual(
    names.flatMap((name) => cluster.snapshots(name)),
    [],
  );
  assert.equal(textIn(await shown(t, call, fork, "writable")), "before");
  await provider.remove(fork, call());
  assert.deepEqual(cluster.images().toSorted(), names);
});

test("an image is rolled back only while no client has it open, and what it was before is preserved", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const volume = rbdVolume(t, cluster, "reverted");
  const call = instanceOn(t, cluster);
  put(volume.mount, "before");
  const snapshot = await takeOne(call, volume.mount);
  put(volume.mount, "after");
  const tx = transaction();
  const preserve = (): Promise<Snapshot> => provider.preserve?.(snapshot, tx, call()) ?? assert.fail();
  const revert = (): Promise<void> => provider.revert?.(snapshot, call()) ?? assert.fail();
  for (const refused of [preserve, revert])
    await assert.rejects(refused(), { code: "BUSY", message: /is mapped or open/ });
  assert.equal(textIn(volume.mount), "after");
  volume.unmount();
  // The client itself refuses as well: another one may open the image at any time.
  const client = await Client.connect(call());
  const { id } = await client.request("info", { of: { pool: "rbd", namespace: "", name: "reverted" } });
  const of = { pool: "rbd", namespace: "", id };
  const second = await Client.connect({ ...call(), options: { ...call().options, answerSeconds: 31 } });
  await second.request("keep", { of });
  const rolledBack = client.request("rollBack", { of, name: cluster.snapshots("reverted")[0] ?? "" });
  await assert.rejects(rolledBack, { code: "BUSY" });
  await second.request("letGo", { of });
  const safety = await preserve();
  await revert();
  volume.remount();
  assert.equal(textIn(volume.mount), "before");
  assert.equal(textIn(await shown(t, call, safety)), "after");
  for (const one of [snapshot, safety]) await provider.remove(one, call());
  assert.deepEqual(cluster.snapshots("reverted"), []);
});

test("a fork lives on when its snapshot is removed, and what is written to it stays", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const volume = rbdVolume(t, cluster, "forked");
  const call = instanceOn(t, cluster);
  put(volume.mount, "cut");
  const snapshot = await takeOne(call, volume.mount);
  const fork = (await provider.fork?.(snapshot, call())) ?? assert.fail();
  await provider.remove(snapshot, call());
  writeFileSync(path.join(await shown(t, call, fork, "writable"), "file"), "written");
  await provider.unexpose(fork, call());
  writeFileSync(path.join(await shown(t, call, fork, "scratch"), "file"), "discarded");
  await provider.unexpose(fork, call());
  assert.equal(textIn(await shown(t, call, fork)), "written");
  await provider.remove(fork, call());
  assert.deepEqual(cluster.images(), ["forked"]);
  assert.deepEqual(cluster.snapshots("forked"), []);
});

test("what another program has removed is listed as lost, and its removal succeeds", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const volume = rbdVolume(t, cluster, "robbed");
  const call = instanceOn(t, cluster);
  const snapshot = await takeOne(call, volume.mount);
  cluster.rbd("snap", "purge", "--no-progress", "robbed");
  assert.match((await listed(call))[0]?.lost ?? "", /no longer has the snapshot holdstill\./);
  for (let twice = 0; twice < 2; twice += 1) await provider.remove(snapshot, call());
  assert.deepEqual(await listed(call), []);
});

test("an image of the same name in another cluster is not taken for the mapped one", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const { mount } = rbdVolume(t, cluster, "twin");
  const other = new Cluster();
  other.rbd("create", "--size", "96M", "twin");
  const [volume = assert.fail()] = fileSystemsOf([mount]);
  await assert.rejects(provider.match(volume, instanceOn(t, other)()), { code: "UNSUPPORTED", message: /not mapped/ });
});

test("an image of another cluster that is mapped beside it does not make a list fail", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  const other = new Cluster();
  other.pool("elsewhere");
  rbdVolume(t, other, "one", { pool: "elsewhere" });
  const call = instanceOn(t, cluster);
  assert.deepEqual(await listed(call), []);
  await provider.abort(transaction(), call());
});

test("images of a namespace have their snapshots and clones in it", async (t) => {
  const cluster = clusterFor(t);
  if (cluster === null) return;
  cluster.rbd("namespace", "create", "rbd/tenant");
  cluster.rbd("create", "--size", "8M", "rbd/tenant/inner");
  const call = instanceOn(t, cluster);
  const client = await Client.connect(call());
  const at = { pool: "rbd", namespace: "tenant" };
  const { id } = await client.request("info", { of: { ...at, name: "inner" } });
  const of = { ...at, id };
  await client.request("keep", { of });
  await client.request("createSnapshot", { of, name: "one" });
  await client.request("letGo", { of });
  await client.request("clone", { of, snapshot: "one", to: "clone" });
  await client.request("writeJournal", { at, key: "key", value: "value" });
  assert.deepEqual(await client.request("readJournal", { at }), { key: "value" });
  assert.deepEqual(await client.request("readJournal", { at: { ...at, namespace: "" } }), {});
  assert.deepEqual(cluster.images("rbd", "tenant").toSorted(), ["clone", "inner"]);
  await client.request("removeFromJournal", { at, key: "key" });
  await client.request("removeImage", { at, name: "clone" });
  await client.request("removeSnapshot", { of, name: "one" });
  cluster.rbd("rm", "--no-progress", "rbd/tenant/inner");
  cluster.rbd("namespace", "rm", "rbd/tenant");
});
