/** What may lie above and below provider-lvm's logical volumes: encryption and RAID. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { onEnd } from "../../support/process/on-end.js";
import { lvmSets, volumesOf } from "../support/lvm-set.js";
import { stateOf } from "../support/lvm-state.js";
import { cheap, passphrase, place, unlock, vault } from "../support/vault.js";
import { thorough } from "../support/thorough.js";
import { freeDisk, run, VolumeGroup } from "../support/volume-group.js";

test(
  "file systems on LUKS on thin and thick volumes are cut at one instant, shown decrypted, and the key is nowhere on disk",
  thorough,
  async (t) => {
    const vg = new VolumeGroup(t);
    vg.pool("pool", 400);
    const places = [
      vault(t, vg, "thick", () => vg.lvm("lvcreate", ["-y", "-L", "64M", "-n", "thick", vg.name])),
      vault(
        t,
        vg,
        "thin",
        () => vg.lvm("lvcreate", ["-y", "-V", "360M", "-T", `${vg.name}/pool`, "-n", "thin"]),
        "xfs",
      ),
    ];
    const sets = lvmSets(t);
    const before = stateOf(vg);
    const counter = await Counter.start(places);
    onEnd(t, async () => void (await counter.stop()));
    const { snapshots, report } = await sets.take(places);
    assert.equal(report.targets.length, 4, "the encryption and the volume below it are held");
    await counter.advance(2);
    await counter.stop();
    const trees: string[] = [];
    for (const snapshot of snapshots) trees.push(...(await sets.expose(snapshot)));
    assert.ok(verifyCounter(trees) > 0);
    for (const snapshot of snapshots) {
      await provider.unexpose(snapshot, sets.ctx);
      const [scratch = ""] = await sets.expose(snapshot, "scratch");
      writeFileSync(`${scratch}/tried`, "");
      await provider.unexpose(snapshot, sets.ctx);
      const fork = await provider.fork?.(snapshot, sets.ctx);
      assert.ok(fork);
      const [changed = ""] = await sets.expose(fork, "writable");
      writeFileSync(`${changed}/repaired`, "");
      await provider.unexpose(fork, sets.ctx);
      await provider.remove(fork, sets.ctx);
    }
    const [secret = ""] = /[0-9a-f]{64,}/.exec(run("dmsetup", ["table", "--showkeys", "luks-thick"])) ?? assert.fail();
    assert.equal(run("sh", ["-c", `grep -rl ${secret} ${sets.ctx.dataDir} || true`]), "");
    const thick = snapshots[0] as Snapshot;
    run("umount", [places[0] ?? ""]);
    run("cryptsetup", ["close", "luks-thick"]);
    await assert.rejects(sets.expose(thick), { code: "MOUNT", message: /luks-thick, which has its key, is not open/ });
    unlock(vg, "thick");
    run("mount", ["/dev/mapper/luks-thick", places[0] ?? ""]);
    assert.equal((await sets.expose(thick)).length, 1);
    for (const snapshot of snapshots) await provider.remove(snapshot, sets.ctx);
    assert.equal(unnumbered(stateOf(vg)), unnumbered(before));
  },
);

test("LUKS whose key is in a kernel keyring, and md above volumes, are refused with the reason", async (t) => {
  const vg = new VolumeGroup(t);
  const at = vault(t, vg, "data", () => vg.lvm("lvcreate", ["-y", "-L", "64M", "-n", "data", vg.name]), "ext4", []);
  const { ctx } = lvmSets(t);
  const refusalOf = async (mount: string): Promise<string> => {
    const [volume = assert.fail()] = volumesOf([mount]);
    const seen = await provider.match(volume, ctx).catch((error: { code?: string; message: string }) => error);
    return seen !== null && "message" in seen ? `${seen.code}: ${seen.message}` : "none";
  };
  assert.match(await refusalOf(at), /^UNSUPPORTED: vg\S+\/data is encrypted, and its key is in a kernel keyring/);
  for (const name of ["one", "two"]) vg.lvm("lvcreate", ["-y", "-L", "48M", "-n", name, vg.name]);
  mirror(t, "/dev/md7", [`/dev/${vg.name}/one`, `/dev/${vg.name}/two`]);
  const mount = place(t, "/dev/md7", "ext4");
  assert.match(await refusalOf(mount), /^UNSUPPORTED: \S+ is on vg\S+\/one, but with raid md7 in between/);
});

test("volumes of a group that lies on md or on LUKS, and LVM's own RAID, are captured as any other", async (t) => {
  const [one, two] = disks(t);
  mirror(t, "/dev/md8", [one, two]);
  run("cryptsetup", ["luksFormat", ...cheap, "/dev/md8"]);
  run("cryptsetup", ["open", "--key-file", passphrase, "/dev/md8", "luks-below"]);
  onEnd(t, () => void run("cryptsetup", ["close", "luks-below"]));
  // The laboratory's LVM looks at no device-mapper devices.
  const group = new VolumeGroup(t, loopOn(t, "/dev/mapper/luks-below"));
  const other = new VolumeGroup(t);
  group.pool("pool", 200);
  run("vgextend", ["-q", other.name, freeDisk()]);
  other.lvm("lvcreate", ["-y", "--type", "raid1", "-m1", "-L", "48M", "-n", "mirrored", other.name]);
  const volumes = [group.thick("thick", "ext4", 48).mount, group.thin("pool", "thin", "ext4", 48).mount];
  volumes.push(place(t, `/dev/${other.name}/mirrored`, "ext4"));
  for (const mount of volumes) writeFileSync(`${mount}/file`, "precious\n");
  const sets = lvmSets(t);
  const { snapshots } = await sets.take(volumes);
  for (const mount of volumes) writeFileSync(`${mount}/file`, "later\n");
  for (const snapshot of snapshots) {
    assert.equal(readFileSync(`${(await sets.expose(snapshot))[0]}/file`, "utf8"), "precious\n");
    await provider.remove(snapshot, sets.ctx);
  }
});

/** An md of two mirrored devices. */
function mirror(t: TestContext, node: string, [one, two]: readonly [string, string]): void {
  const how = ["--level=1", "--raid-devices=2", "--metadata=1.2", "--assume-clean", "--run"];
  run("mdadm", ["--create", node, ...how, one, two]);
  onEnd(t, () => void run("mdadm", ["--stop", node]));
}

/** Two loop devices, on a disk each would be too many. */
function disks(t: TestContext): [string, string] {
  return [0, 1].map((number) => {
    const file = `/var/tmp/disk-${number}`;
    run("truncate", ["-s", "400M", file]);
    onEnd(t, () => void run("rm", [file]));
    return loopOn(t, file);
  }) as [string, string];
}

function loopOn(t: TestContext, file: string): string {
  const node = run("losetup", ["--find", "--show", file]).trim();
  onEnd(t, () => void run("losetup", ["--detach", node]));
  return node;
}

/** A device that was opened anew may have another number. */
const unnumbered = (text: string): string => text.replaceAll(/\b\d+:\d+\b/g, "N").replaceAll(/^luks.*$/gm, "");
