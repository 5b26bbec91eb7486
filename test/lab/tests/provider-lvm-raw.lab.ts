/** Logical volumes as raw devices, by the command line: the disks of virtual machines. */
import assert from "node:assert/strict";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import type { TransactionResult } from "#core/engine/types.js";
import { holdstill } from "../../support/process/command-line.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { stateOf } from "../support/lvm-state.js";
import { compare, exposedIn, fill, wipe } from "../support/raw-device.js";
import { run, VolumeGroup } from "../support/volume-group.js";

/** Room for all of a device, and for the tables of its snapshot. */
const plugins = [{ use: "provider-lvm", options: { size: "16M" } }];

for (const kind of ["thick", "thin"] as const) {
  test(`a raw ${kind} volume is captured, exposed, verified, given to a command, and deleted without a trace`, async (t) => {
    const vg = new VolumeGroup(t);
    if (kind === "thin") vg.pool("pool", 100);
    const device = kind === "thin" ? vg.rawThin("pool", "vm-1") : vg.rawThick("vm-1");
    const config = configFile(t, plugins);
    const command = commandLineWith(t, config);
    const contents = fill(t, device);
    const before = stateOf(vg);
    const plan = await command(["plan", device]);
    assert.match(plan.stdout, /raw lvm device +provider-lvm/);

    const created = await command(["create", `${vg.name}/vm-1`, "--json"]);
    assert.equal(created.exitCode, 0, created.stdout + created.stderr);
    const { set } = created.json() as TransactionResult;
    const [volume] = set?.volumes ?? [];
    assert.deepEqual([volume?.kind, volume?.paths, set?.consistency], ["block", [device], "crash"]);
    assert.equal(set?.hold?.targets.length, 1);
    wipe(device);

    const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
    const shown = exposedIn(exposed, device);
    compare(shown.path, contents);
    assert.throws(() => run("dd", ["if=/dev/zero", `of=${shown.path}`, "bs=512", "count=1", "status=none"]));
    assert.match((await command(["show", "latest"])).stdout, new RegExp(shown.path));
    const again = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
    assert.deepEqual(exposedIn(again, device), shown);
    await command(["unexpose", "latest"]);

    const verified = await command(["verify", "latest"]);
    assert.equal(verified.exitCode, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, new RegExp(`${device} +opens`));
    const restored = await command(["restore", "latest", "--yes"]);
    assert.equal(restored.exitCode, 3, restored.stderr);
    assert.match(restored.stderr, /raw device[^]*holdstill revert/);
    const deleted = await command(["delete", "latest", "--yes"]);
    assert.equal(deleted.exitCode, 0, deleted.stderr);

    run("dd", [`if=${contents}`, `of=${device}`, "bs=1M", "oflag=direct", "status=none"]);
    const script = `cmp "$HOLDSTILL_DEVICES" ${contents}`;
    const ran = await holdstill(["run", "--config", config, device, "--", "sh", "-c", script]);
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    const inPlace = await holdstill(["run", "--config", config, device, "--in-place", "--", "true"]);
    assert.notEqual(inPlace.exitCode, 0);
    assert.match(inPlace.stderr, /raw device/);
    assert.equal(stateOf(vg), before);
  });
}
