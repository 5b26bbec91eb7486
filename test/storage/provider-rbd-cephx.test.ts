/** provider-rbd as a cephx user that may do no more than the README gives it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import provider from "@holdstill/provider-rbd";
import { guardedCluster, run } from "../support/ceph/cluster.js";
import { rbdVolume } from "../support/ceph/image-volume.js";
import { instanceOn, listed, shown, takeOne } from "../support/ceph/provider.js";
import { fileSystemsOf } from "../support/storage/file-systems.js";

const user = "holdstill";
const caps = (pool: string): string[] => ["mon", "profile rbd", "osd", `profile rbd pool=${pool}`];

test("a user with the caps of the README can do everything, and one of another pool is denied", async (t) => {
  const cluster = guardedCluster(t);
  if (cluster === null) return;
  const { mount, image } = rbdVolume(t, cluster, "guarded");
  const keyring = cluster.user(`client.${user}`, "own.keyring", ...caps("rbd"));
  const call = instanceOn(t, cluster, { user, keyring });
  writeFileSync(path.join(mount, "file"), "guarded");
  run("sync", "-f", mount);
  const snapshot = await takeOne(call, mount);
  const fork = (await provider.fork?.(snapshot, call())) ?? assert.fail();
  for (const one of [snapshot, fork]) {
    assert.equal(readFileSync(path.join(await shown(t, call, one), "file"), "utf8"), "guarded");
    await provider.unexpose(one, call());
  }
  assert.equal((await listed(call)).length, 2);
  for (const one of [fork, snapshot]) await provider.remove(one, call());
  assert.deepEqual([cluster.images(), cluster.snapshots(image)], [["guarded"], []]);

  cluster.pool("other");
  const other = cluster.user("client.other", "other.keyring", ...caps("other"));
  const [volume = assert.fail()] = fileSystemsOf([mount]);
  const denied = { code: "DENIED", hint: /keyring/ };
  await assert.rejects(provider.match(volume, instanceOn(t, cluster, { user: "other", keyring: other })()), denied);
  await assert.rejects(provider.match(volume, instanceOn(t, cluster, { user: "nobody", keyring })()), {
    code: /DENIED|NOT_FOUND|CEPH_FAILED/,
  });
});
