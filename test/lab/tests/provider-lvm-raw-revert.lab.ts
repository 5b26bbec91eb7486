/** The way back to what a raw logical volume was. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import { onEnd } from "../../support/process/on-end.js";
import { commandLine } from "../support/command-line.js";
import { stateOf } from "../support/lvm-state.js";
import { compare, fill } from "../support/raw-device.js";
import { run, VolumeGroup } from "../support/volume-group.js";

/** Room for all of a device, and for the tables of its snapshot. */
const plugins = [{ use: "provider-lvm", options: { size: "16M" } }];

for (const kind of ["thick", "thin"] as const) {
  test(`a raw ${kind} volume is reverted, after a snapshot of what was there, and not while it is in use`, async (t) => {
    const vg = new VolumeGroup(t);
    if (kind === "thin") vg.pool("pool", 200);
    const device = kind === "thin" ? vg.rawThin("pool", "disk") : vg.rawThick("disk");
    const command = commandLine(t, plugins);
    const contents = fill(t, device);
    const created = await command(["create", device, "--name", "good"]);
    assert.equal(created.exitCode, 0, created.stdout + created.stderr);
    const spoilt = fill(t, device);
    run("dmsetup", ["create", "user", "--table", `0 8 linear ${device} 0`]);
    onEnd(t, () => void spawnSync("dmsetup", ["remove", "user"]));
    const refused = await command(["revert", "good", "--yes"]);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /in use/);
    run("dmsetup", ["remove", "user"]);
    const reverted = await command(["revert", "good", "--yes"]);
    assert.equal(reverted.exitCode, 0, reverted.stdout + reverted.stderr);
    compare(device, contents);
    const safety = (await command(["list", "--json"])).json() as { sets: SnapshotSet[] };
    const kept = safety.sets.find(({ name }) => name?.startsWith("before-revert-")) ?? assert.fail("no safety set");
    const shown = (await command(["expose", kept.id, "--json"])).json() as SnapshotSet;
    const copy = shown.exposed?.[0]?.exposed.devices?.[0]?.path ?? "";
    compare(copy, spoilt);
    for (const { id } of safety.sets) await command(["delete", id, "--yes"]);
    assert.doesNotMatch(stateOf(vg), /holdstill/);
  });
}
