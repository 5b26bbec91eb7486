/** What provider-lvm refuses, with which reasons. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { onEnd } from "../../support/process/on-end.js";
import { lvmSets, type Options, transaction, volumesOf } from "../support/lvm-set.js";
import { furnish, mounts, stateOf } from "../support/lvm-state.js";
import { run, VolumeGroup } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

test("what does not fit, is named already or is locked is refused before anything is touched", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const tx = transaction();
  const name = `thin-holdstill-${tx.id}`;
  const planned = volumesOf(mounts(volumes));
  const before = stateOf(vg);
  const refused = async (code: string, options: Partial<Options>, change: object = {}): Promise<void> => {
    const { ctx } = lvmSets(t, options);
    await assert.rejects(provider.prepare(tx, planned, { ...ctx, ...change }), { code });
    await provider.abort(tx, ctx);
  };
  await refused("POOL_FULL", { poolLimit: 1 });
  vg.lvm("lvcreate", ["-y", "-l", "100%FREE", "-n", "filler", vg.name]);
  await refused("NO_SPACE", {});
  vg.lvm("lvremove", ["-y", `${vg.name}/filler`]);
  assert.equal(stateOf(vg), before);
  vg.lvm("lvcreate", ["-y", "-L", "8M", "-n", name, vg.name]);
  await refused("NAME_TAKEN", {});
  vg.lvm("lvremove", ["-y", `${vg.name}/${name}`]);
  const holder = spawn("flock", [`/run/lock/lvm/V_${vg.name}`, "sh", "-c", "echo locked; exec sleep 60"]);
  onEnd(t, () => void holder.kill());
  await once(holder.stdout, "data");
  const { ctx } = lvmSets(t);
  const hurried = { ...ctx, deadline: Date.now() + 4000 };
  await assert.rejects(provider.prepare(tx, planned, hurried), { code: "LOCKED", message: new RegExp(vg.name) });
  run("sh", ["-c", `fuser -k /run/lock/lvm/V_${vg.name} || true`]);
  assert.equal(stateOf(vg), before);
});

test("where no size is given a snapshot takes a fifth of its origin, or what there is, but not too little", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4", 800);
  const room = async (): Promise<unknown> => (await lvmSets(t).take([mount])).snapshots[0]?.facts?.["spaceBytes"];
  assert.equal(await room(), 160 * 2 ** 20);
  await assert.rejects(lvmSets(t, { size: "20%ORIGIN" }).take([mount]), { code: "NO_SPACE" });
  const rest = Number(await room());
  assert.ok(rest >= 40 * 2 ** 20 && rest < 64 * 2 ** 20, String(rest));
  await assert.rejects(room(), { code: "NO_SPACE", message: /need 160\.0 MiB/ });
});

test("a snapshot that has overflowed is called invalid and never shown, and one that is nearly full is warned of", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4", 48);
  const sets = lvmSets(t, { size: "16M" });
  const { snapshots } = await sets.take([mount]);
  const [snapshot] = snapshots as [Snapshot];
  const fill = (file: string, mib: number): void => {
    writeFileSync(`${mount}/${file}`, Buffer.alloc(mib * 2 ** 20, 1));
    run("sync", ["-f", mount]);
  };
  fill("first", 14);
  const [listed] = await listAll(provider, sets.ctx);
  assert.equal(listed?.lost, undefined);
  assert.ok((listed?.usage?.percent ?? 0) >= 80, JSON.stringify(listed));
  assert.equal(listed?.usage?.where, snapshot.id);
  assert.match(sets.warnings.join("\n"), /is (8|9)\d(\.\d+)? % full/);
  fill("second", 10);
  assert.match((await listAll(provider, sets.ctx))[0]?.lost ?? "", /overflowed/);
  await assert.rejects(sets.expose(snapshot), { code: "INVALID" });
  await provider.remove(snapshot, sets.ctx);
  assert.deepEqual(await listAll(provider, sets.ctx), []);
});
