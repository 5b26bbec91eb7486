/** Who else works on the volume group: provider-lvm notices what concerns it, and leaves the rest alone. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { commit, lvmSets, transaction, volumesOf } from "../support/lvm-set.js";
import { checkAll, furnish, mounts, stateOf } from "../support/lvm-state.js";
import { run, VolumeGroup } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

test("a snapshot that another command spoils before the commit is refused", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const [thick, thin] = volumes as [(typeof volumes)[number], (typeof volumes)[number]];
  const { ctx } = lvmSets(t);
  const before = stateOf(vg);
  const spoilt = async (mount: string, spoil: (snapshot: string) => void): Promise<void> => {
    const tx = transaction();
    const planned = volumesOf([mount]);
    const section = await provider.prepare(tx, planned, ctx);
    spoil(`${mount === thick.mount ? "thick" : "thin"}-holdstill-${tx.id}`);
    await assert.rejects(
      commit(section, planned).then(() => provider.seal(tx, ctx)),
      ({ code }: { code?: string }) => code === "E_HOLD_FAILED" || code === "CHANGED",
    );
    await provider.abort(tx, ctx);
    assert.equal(stateOf(vg), before);
  };
  await spoilt(thick.mount, () => vg.lvm("lvchange", ["--refresh", `${vg.name}/thick`]));
  await spoilt(thick.mount, (name) => run("dmsetup", ["clear", vg.dm(name)]));
  await spoilt(thin.mount, (name) => {
    const id = vg.lvm("lvs", ["--noheadings", "-o", "thin_id", `${vg.name}/${name}`]).trim();
    run("dmsetup", ["message", vg.dm("pool", "tpool"), "0", `create_thin ${id}`]);
  });
  await spoilt(thin.mount, (name) => vg.lvm("lvremove", ["-y", `${vg.name}/${name}`]));
  checkAll(vg, volumes);
});

test("an origin that went after the plan is told of", async (t) => {
  const vg = new VolumeGroup(t);
  const device = `/dev/${vg.name}/gone`;
  vg.lvm("lvcreate", ["-y", "-L", "8M", "-n", "gone", vg.name]);
  run("mkfs.ext4", ["-q", device]);
  const point = `${tempDir(t)}/gone`;
  mkdirSync(point);
  run("mount", [device, point]);
  const planned = volumesOf([point]);
  run("umount", [point]);
  vg.lvm("lvremove", ["-y", device]);
  await assert.rejects(provider.prepare(transaction(), planned, lvmSets(t).ctx), { code: "CHANGED" });
});

test("groups, volumes and mount points with odd names are taken as they are", async (t) => {
  const vg = new VolumeGroup(t);
  const group = "odd-vg.a+b--c";
  run("vgrename", ["-q", vg.name, group]);
  run("lvcreate", ["-q", "-y", "-L", "48M", "--thinpool", "po-ol", group]);
  run("lvcreate", ["-q", "-y", "-L", "48M", "-n", "x--y.z+-", group]);
  run("lvcreate", ["-q", "-y", "-V", "48M", "-T", `${group}/po-ol`, "-n", "x-holdstill-y"]);
  const places = ["x--y.z+-", "x-holdstill-y"].map((name) => {
    const at = `/mnt/odd 'na"me $(touch \\owned) ${name}\n`;
    mkdirSync(at);
    run("mkfs.ext4", ["-q", "-F", `/dev/${group}/${name}`]);
    run("mount", ["--", `/dev/${group}/${name}`, at]);
    onEnd(t, () => void run("umount", ["--", at]));
    writeFileSync(`${at}/file`, name);
    return at;
  });
  const sets = lvmSets(t);
  const { snapshots } = await sets.take(places);
  for (const mount of places) writeFileSync(`${mount}/file`, "later");
  const trees = [];
  for (const snapshot of snapshots) trees.push(`${(await sets.expose(snapshot))[0]}/file`);
  assert.deepEqual(
    trees.map((tree) => readFileSync(tree, "utf8")),
    ["x--y.z+-", "x-holdstill-y"],
  );
  for (const snapshot of snapshots) await provider.remove(snapshot, sets.ctx);
  assert.deepEqual(await listAll(provider, sets.ctx), []);
  assert.doesNotMatch(run("dmsetup", ["ls"]), /holdstill-2/);
});

test("volumes that look like ours and are not are left alone", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const sets = lvmSets(t);
  const { tx, snapshots } = await sets.take(mounts(volumes));
  const make = (name: string, ...tags: string[]): void => {
    vg.lvm("lvcreate", ["-y", "-L", "4M", "-n", name, ...tags.flatMap((tag) => ["--addtag", tag]), vg.name]);
  };
  const ours = [`holdstill.set=${tx.id}`, "holdstill.role=snapshot", "holdstill.volume=1:1"];
  make(`data-holdstill-${tx.id}`);
  make(`tagged`, ...ours);
  make(`-x-holdstill-${tx.id}-kept`.slice(1), ...ours);
  make(`half-holdstill-${tx.id}`, `holdstill.set=${tx.id}`);
  make(`other-holdstill-20200101-000000-abcdef`, ...ours);
  const thin = snapshots.find(({ method }) => method === "thin");
  vg.lvm("lvcreate", ["-s", "-n", "of-ours", thin?.id ?? ""]);
  const kept = ["data-", "tagged", "x-", "half-", "other-", "of-ours"];
  assert.deepEqual(
    (await listAll(provider, sets.ctx)).map(({ id }) => id).toSorted(),
    snapshots.map(({ id }) => id).toSorted(),
  );
  const imposter = { ...(snapshots[0] as Snapshot), id: `${vg.name}/tagged`, facts: {} };
  await provider.remove(imposter, sets.ctx);
  await assert.rejects(sets.expose(imposter), { code: "UNKNOWN_SNAPSHOT" });
  await provider.abort(tx, sets.ctx);
  const left = vg
    .lvm("lvs", ["--noheadings", "-o", "lv_name", vg.name])
    .split("\n")
    .map((name) => name.trim());
  for (const begin of kept)
    assert.ok(
      left.some((name) => name.startsWith(begin)),
      begin,
    );
  assert.deepEqual(await listAll(provider, sets.ctx), []);
});
