/** provider-rbd passes the suite that vendors run, with single snapshots and with those of a group, on a Ceph cluster of one node. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { repository } from "../support/repository.js";
import { clusterFor, POOL } from "../support/ceph/cluster.js";
import { groupOf, rbdVolume } from "../support/ceph/image-volume.js";
import { wholeMatrix } from "../support/whole-matrix.js";

const plugin = path.join(repository, "plugins/provider-rbd");

const isFailure = ({ status }: { status: string }): boolean => status === "failed";

/** undefined: all checks. What a process or a group changes is in these few. */
const few = ["fork", "written-stays-written", "keeps-its-promises", "abort-after-commit", "remove-leaves-others-alone"];

const variants = [
  ["a thread, on images of two pools", "thread", "auto", wholeMatrix ? undefined : few],
  ["a process", "process", "never", few],
  ["a thread, with the snapshots of a group, which are exposed as copies", "thread", "always", few],
] as const;

for (const [how, runtime, groups, only] of wholeMatrix ? variants : variants.slice(0, 1))
  test(`the provider conforms in ${how}`, async (t) => {
    const cluster = clusterFor(t);
    if (cluster === null) return;
    const pool = groups === "auto" ? "other" : POOL;
    if (pool !== POOL) cluster.pool(pool);
    const volumes = [rbdVolume(t, cluster, "one"), rbdVolume(t, cluster, "two", { pool })];
    const targets = volumes.map(({ mount }) => path.join(mount, "data"));
    for (const target of targets) mkdirSync(target);
    if (groups === "always") groupOf(t, cluster, "both", ["one", "two"]);
    const rbd = `rbd -c ${cluster.conf}`;
    const { checks } = await checkPlugin(plugin, {
      fixture: {
        options: { conf: cluster.conf, fuse: "/usr/bin/rbd-fuse", groups },
        targets,
        state: `for p in ${POOL} ${pool}; do for i in $(${rbd} ls $p); do echo $i; ${rbd} snap ls --all $p/$i; done; done`,
        limitSeconds: 60,
      },
      runtimes: [runtime],
      ...(only === undefined ? {} : { only }),
    });
    assert.deepEqual(checks.filter(isFailure), []);
    for (const name of only ?? few)
      assert.ok(
        checks.some((check) => check.name === name && check.status === "passed"),
        name,
      );
  });
