/** What udev makes of our devices: the name of a file system in /dev/disk/by-uuid is the original's at all times. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { SnapshotSet } from "holdstill/plugin";
import type { DoctorCheck } from "#core/base/schema/types.js";
import { onEnd } from "../../support/process/on-end.js";
import { commandLine } from "../support/command-line.js";
import { Dmsnap } from "../support/dmsnap.js";
import { lvmSets } from "../support/lvm-set.js";
import { MappedDisk } from "../support/mapped-disk.js";
import { compare, exposedIn, fill } from "../support/raw-device.js";
import { installRules, meantBy, type Numbering, rulesOf, startUdev, uuidOf } from "../support/udev.js";
import { run, VolumeGroup } from "../support/volume-group.js";

const numberings: readonly Numbering[] = ["Debian", "upstream"];

for (const numbering of numberings) {
  test(`provider-dmsnap, rules as ${numbering}: UUID= is the original while a set exists, is exposed, and is gone`, async (t) => {
    await startUdev(t, numbering);
    const disk = new MappedDisk(t);
    // The file system begins where the disk below begins, which therefore has the same UUID.
    const data = disk.volumeOn("data", "ext4", disk.store("below", 64));
    const uuid = uuidOf("/dev/mapper/data");
    writeFileSync(`${data.mount}/file`, "precious\n");
    assert.equal(meantBy(uuid), "data");
    const dmsnap = new Dmsnap(t);
    const { snapshots } = await dmsnap.take([data]);
    const [snapshot] = snapshots;
    assert.ok(snapshot);
    assert.equal(meantBy(uuid), "data", "while a set exists");
    for (const access of ["read-only", "scratch", "writable"] as const) {
      const tree = await dmsnap.expose(snapshot, access);
      assert.equal(meantBy(uuid), "data", `while it is exposed ${access}`);
      assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
      await dmsnap.unexpose(snapshot);
    }
    const fork = await dmsnap.fork(snapshot);
    assert.equal(meantBy(uuid), "data", "while it has a fork");
    // As at boot, by the line in fstab.
    run("umount", [data.mount]);
    run("mount", [`UUID=${uuid}`, data.mount]);
    assert.equal(run("findmnt", ["-n", "-o", "SOURCE", data.mount]).trim(), "/dev/mapper/data");
    await dmsnap.remove(fork);
    await dmsnap.remove(snapshot);
    assert.equal(meantBy(uuid), "data", "after the set is deleted");
  });

  test(`provider-lvm, rules as ${numbering}: UUID= is the original, also while a thin or thick snapshot is exposed`, async (t) => {
    await startUdev(t, numbering);
    const vg = new VolumeGroup(t);
    vg.pool("pool", 200);
    const volumes = [vg.thin("pool", "thin", "ext4", 48), vg.thick("thick", "ext4", 48)];
    const uuids = volumes.map(({ dm }) => uuidOf(`/dev/mapper/${dm}`));
    const names = volumes.map(({ dm }) => dm);
    assert.deepEqual(uuids.map(meantBy), names);
    const sets = lvmSets(t);
    const { snapshots, tx } = await sets.take(volumes.map(({ mount }) => mount));
    onEnd(t, async () => await provider.abort(tx, sets.ctx));
    assert.deepEqual(uuids.map(meantBy), names, "while a set exists");
    for (const snapshot of snapshots) await sets.expose(snapshot);
    assert.deepEqual(uuids.map(meantBy), names, "while it is exposed");
    for (const snapshot of snapshots) await provider.unexpose(snapshot, sets.ctx);
    for (const snapshot of snapshots) await sets.expose(snapshot, "writable");
    assert.deepEqual(uuids.map(meantBy), names, "while it is exposed writable");
    for (const snapshot of snapshots) await provider.unexpose(snapshot, sets.ctx);
    for (const snapshot of snapshots) await provider.remove(snapshot, sets.ctx);
    assert.deepEqual(uuids.map(meantBy), names, "after the set is deleted");
  });

  test(`raw devices, rules as ${numbering}: each is exposed under its name in /dev/mapper, which udev leaves as it is`, async (t) => {
    await startUdev(t, numbering);
    const vg = new VolumeGroup(t);
    vg.pool("pool", 100);
    const devices = [vg.rawThin("pool", "vm-1"), vg.rawThick("vm-2"), new MappedDisk(t).store("raw", 8)];
    const plugins = [
      { use: "provider-lvm", options: { size: "16M" } },
      { use: "provider-dmsnap", options: { size: "16M" } },
    ];
    const command = commandLine(t, plugins);
    const contents = devices.map((device) => fill(t, device));
    const created = await command(["create", ...devices]);
    assert.equal(created.exitCode, 0, created.stderr);
    const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
    run("udevadm", ["trigger", "--settle", "--subsystem-match=block", "--action=change"]);
    for (const [at, device] of devices.entries()) compare(exposedIn(exposed, device).path, contents[at] ?? "");
    assert.equal((await command(["delete", "latest", "--yes"])).exitCode, 0);
  });

  test(`doctor, rules as ${numbering}: says which file is missing, and is content when it is there`, async (t) => {
    await startUdev(t, numbering, "without");
    assert.ok(new MappedDisk(t).node, "a device of device-mapper");
    const command = commandLine(t, [{ use: "provider-dmsnap" }]);
    const found = async (): Promise<DoctorCheck | undefined> => {
      const { checks } = (await command(["doctor", "--json"])).json() as { checks: DoctorCheck[] };
      return checks.find((check) => check.found.includes(rulesOf[numbering]));
    };
    const missing = await found();
    assert.equal(missing?.state, "note");
    assert.match(missing.remedy ?? "", /packaging\/udev/);
    installRules(numbering);
    assert.equal((await found())?.state, "good");
  });
}
