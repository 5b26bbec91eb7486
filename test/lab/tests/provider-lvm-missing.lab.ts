/** Snapshots in volume groups that were renamed, or that LVM does not see. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import type { SnapshotSet } from "holdstill/plugin";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { lvmSets } from "../support/lvm-set.js";
import { furnish, mounts } from "../support/lvm-state.js";
import { compare, exposedIn, fill, wipe } from "../support/raw-device.js";
import { VolumeGroup } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

const conf = "/etc/lvm/lvm.conf";

/** From now on LVM sees no disk, until the function that this returns is called. */
function hideDisks(t: TestContext): () => void {
  const before = readFileSync(conf, "utf8");
  const show = (): void => writeFileSync(conf, before);
  onEnd(t, show);
  writeFileSync(conf, before.replace(/filter = \[[^\]]*\]/, 'filter = [ "r|.*|" ]'));
  return show;
}

const ours = (vg: VolumeGroup): string => vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name"]).trim();

test("snapshots of a group that was renamed are exposed, listed under their ids, and removed", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const sets = lvmSets(t);
  const { snapshots } = await sets.take(mounts(volumes));
  for (const snapshot of snapshots) await sets.expose(snapshot);
  vg.lvm("vgrename", [vg.name, `${vg.name}new`]);
  onEnd(t, () => void vg.lvm("vgrename", [`${vg.name}new`, vg.name]));
  for (const snapshot of snapshots) {
    await provider.unexpose(snapshot, sets.ctx);
    const [tree = ""] = await sets.expose(snapshot);
    assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
  }
  const listed = (await listAll(provider, sets.ctx)).map(({ id }) => id).toSorted();
  assert.deepEqual(listed, snapshots.map(({ id }) => id).toSorted());
  for (const snapshot of snapshots) await provider.remove(snapshot, sets.ctx);
  assert.doesNotMatch(ours(vg), /holdstill/);
});

test("a snapshot whose group LVM does not see is not said to be deleted", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const sets = lvmSets(t);
  const { snapshots, tx } = await sets.take(mounts(volumes));
  const show = hideDisks(t);
  for (const snapshot of snapshots) {
    for (const op of ["remove", "unexpose"] as const) {
      await assert.rejects(provider[op](snapshot, sets.ctx), { code: "UNREACHABLE" });
    }
  }
  const listed = await provider.list(sets.ctx);
  assert.ok(!Array.isArray(listed), "what LVM does not see is not gone");
  assert.match(listed.unseen.join(), new RegExp(`The volume group ${vg.name} is not there`));
  show();
  assert.equal((await listAll(provider, sets.ctx)).length, snapshots.length);
  await provider.abort(tx, sets.ctx);
  assert.doesNotMatch(ours(vg), /holdstill/);
  // Now the group is there, and they are gone.
  for (const snapshot of snapshots) await provider.remove(snapshot, sets.ctx);
  hideDisks(t);
  assert.deepEqual(await listAll(provider, sets.ctx), [], "it has no snapshots in that group any more");
});

for (const kind of ["thick", "thin"] as const)
  test(`a raw ${kind} volume is adopted from LVM's tags as what it is, exposed, and its set deleted`, async (t) => {
    const vg = new VolumeGroup(t);
    if (kind === "thin") vg.pool("pool", 100);
    const device = kind === "thin" ? vg.rawThin("pool", "vm-1") : vg.rawThick("vm-1");
    const config = configFile(t, [{ use: "provider-lvm", options: { size: "16M" } }]);
    const command = commandLineWith(t, config);
    const contents = fill(t, device);
    assert.equal((await command(["create", device])).exitCode, 0);
    wipe(device);
    rmSync(path.join(path.dirname(config), "state"), { recursive: true });
    assert.equal((await command(["recover", "--adopt", "--yes"])).exitCode, 0);
    const set = (await command(["show", "latest", "--json"])).json() as SnapshotSet;
    const [volume] = set.volumes;
    assert.deepEqual([volume?.kind, volume?.paths, set.consistency], ["block", [device], "crash"]);
    const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
    compare(exposedIn(exposed, device).path, contents);
    assert.equal((await command(["delete", "latest", "--yes"])).exitCode, 0);
    assert.doesNotMatch(ours(vg), /holdstill/);
  });

test("delete keeps the record while the disks are away, and a lost state directory is adopted from LVM's tags", async (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4", 48);
  writeFileSync(`${mount}/file`, "precious\n");
  const config = configFile(t, [{ use: "provider-lvm", options: { size: "16M" } }]);
  const command = commandLineWith(t, config);
  assert.equal((await command(["create", mount, "--name", "one"])).exitCode, 0);
  const show = hideDisks(t);
  const refused = await command(["delete", "one", "--yes"]);
  assert.match(refused.stderr, /is not there, so it is unknown whether that still exists/);
  assert.equal(refused.exitCode, 4);
  show();
  rmSync(path.join(path.dirname(config), "state"), { recursive: true });
  assert.match((await command(["recover"])).stdout, /holdstill recover --adopt/);
  assert.equal((await command(["recover", "--adopt", "--yes"])).exitCode, 0);
  const elsewhere = path.join(tempDir(t), "elsewhere");
  const restored = await command(["restore", "latest", "--to", elsewhere, "--yes"]);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.equal(readFileSync(path.join(elsewhere, mount, "file"), "utf8"), "precious\n");
  assert.equal((await command(["delete", "latest", "--yes"])).exitCode, 0);
  assert.doesNotMatch(ours(vg), /holdstill/);
});
