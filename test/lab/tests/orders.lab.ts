/** A set with a repaired fork, used by the command line in more than one order, on each kind of storage below device-mapper. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import { pluginsThat } from "../../support/fixture/misbehaving-plugins.js";
import { holdstill } from "../../support/process/command-line.js";
import { wholeMatrix } from "../../support/whole-matrix.js";
import { tempDir } from "../../support/storage/temp.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { MappedDisk } from "../support/mapped-disk.js";
import { vault } from "../support/vault.js";
import { run, VolumeGroup } from "../support/volume-group.js";

/** A mounted file system, and the provider that captures it. */
type Storage = (t: TestContext) => { mount: string; provider: object };

const lvm = { use: "provider-lvm", options: { size: "16M" } };

const storages: Record<string, Storage> = {
  "a thick volume": (t) => ({ mount: new VolumeGroup(t).thick("data", "ext4", 64).mount, provider: lvm }),
  "XFS on a thick volume": (t) => ({ mount: new VolumeGroup(t).thick("data", "xfs", 320).mount, provider: lvm }),
  "a thin volume": (t) => {
    const vg = new VolumeGroup(t);
    vg.pool("pool", 200);
    return { mount: vg.thin("pool", "data", "ext4", 64).mount, provider: lvm };
  },
  "LUKS on a thick volume": (t) => {
    const vg = new VolumeGroup(t);
    const make = (): void => void vg.lvm("lvcreate", ["-y", "-L", "64M", "-n", "data", vg.name]);
    return { mount: vault(t, vg, "data", make), provider: lvm };
  },
  "a plain device": (t) => ({
    mount: new MappedDisk(t).volume("data", "ext4").mount,
    provider: { use: "provider-dmsnap", options: { size: "16M" } },
  }),
};

/** The layout of the installers; `npm run matrix` takes all. */
const usual = "a thick volume";

for (const [name, storage] of Object.entries(storages).filter(([one]) => wholeMatrix || one === usual)) {
  test(`on ${name}, a repaired set is shown, backed up, verified, and restored in each order`, async (t) => {
    const { mount, provider } = storage(t);
    const app = path.join(mount, "app");
    const data = path.join(app, "data");
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(data, "file"), "precious\n");
    const before = devices();
    const writer = { use: "writer-that", as: "app", options: { app, repair: "always" } };
    const config = configFile(t, [provider, writer], { pluginPaths: [pluginsThat] });
    commandLineWith(t, config);
    const command = async (verb: string, ...args: string[]): Promise<string> => {
      const ran = await holdstill([verb, "--config", config, ...args]);
      assert.equal(ran.exitCode, 0, `${verb} ${args.join(" ")}\n${ran.stdout}${ran.stderr}`);
      return ran.stdout;
    };
    /** Shows the repaired copy to `cat`. */
    const backUp = async (): Promise<void> => {
      const script = `cat "$HOLDSTILL_ROOT${data}/file" && test -e "$HOLDSTILL_ROOT${data}/repaired"`;
      assert.match(await command("run", "writer:app", "--", "sh", "-c", script), /precious/);
    };
    const restore = async (): Promise<void> => {
      rmSync(data, { recursive: true });
      await command("restore", "first", "--yes");
      assert.equal(readFileSync(path.join(data, "file"), "utf8"), "precious\n");
      const elsewhere = path.join(tempDir(t), "elsewhere");
      await command("restore", "first", "--to", elsewhere, "--yes");
      assert.ok(existsSync(path.join(elsewhere, data, "repaired")));
    };

    await command("create", "writer:app", "--name", "first");
    const set = JSON.parse(await command("show", "first", "--json")) as SnapshotSet;
    assert.equal(set.writers[0]?.repair?.state, "repaired");
    assert.equal(set.snapshots.length, 2, "the snapshot as it was cut, and its fork");
    for (const verb of ["expose", "expose", "unexpose"]) await command(verb, "first");
    await backUp();
    await command("verify", "first");
    await restore();

    await command("expose", "first");
    await backUp();
    await restore();
    await command("create", "writer:app", "--name", "second");
    await command("verify", "second");
    for (const verb of ["expose", "unexpose", "expose"]) await command(verb, "second");
    await command("delete", "first", "second", "--yes");
    assert.match(await command("recover"), /Nothing is left over/);
    assert.deepEqual(devices(), before);
  });
}

/** Names of all device-mapper devices. */
const devices = (): string[] =>
  run("dmsetup", ["info", "-c", "--noheadings", "-o", "name"]).trim().split("\n").toSorted();
