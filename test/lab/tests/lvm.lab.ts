/** Real LVM on disks of the guest, and the two facts about its snapshots that the providers rely on. */
import assert from "node:assert/strict";
import { release } from "node:os";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { Counter, CounterBroken, verifyCounter } from "../../support/storage/counter.js";
import { run, VolumeGroup, type MountedVolume } from "../support/volume-group.js";

const [major = 0, minor = 0] = release().split(".").map(Number);
/** Freezing what is frozen already is allowed since Linux 6.8. */
const nestedFreeze = major > 6 || (major === 6 && minor >= 8);

test("a thick and a thin volume carry ext4 and XFS", (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool");
  for (const { mount } of [vg.thick("thick", "ext4"), vg.thin("pool", "thin", "xfs")]) {
    writeFileSync(`${mount}/file`, "precious\n");
    assert.equal(readFileSync(`${mount}/file`, "utf8"), "precious\n");
  }
  const mounts = readFileSync("/proc/mounts", "utf8");
  assert.match(mounts, new RegExp(`^/dev/mapper/${vg.dm("thick")} \\S+ ext4 `, "m"));
  assert.match(mounts, new RegExp(`^/dev/mapper/${vg.dm("thin")} \\S+ xfs `, "m"));
});

test(`lvcreate -s on a file system that fsfreeze holds ${nestedFreeze ? "works" : "fails"} on this kernel`, (t) => {
  const vg = new VolumeGroup(t);
  const { mount } = vg.thick("data", "ext4");
  writeFileSync(`${mount}/file`, "precious\n");
  run("fsfreeze", ["-f", mount]);
  let complaint = "";
  try {
    vg.lvm("lvcreate", ["-An", "-y", "-s", "-L", "32M", "-n", "snap", `${vg.name}/data`]);
  } catch (error) {
    complaint = error instanceof Error ? error.message : "";
  } finally {
    run("fsfreeze", ["-u", mount]);
  }
  if (nestedFreeze) {
    assert.equal(complaint, "");
    assert.equal(readFileSync(`${vg.mountSnapshot("snap", "ext4")}/file`, "utf8"), "precious\n");
  } else {
    assert.match(complaint, /suspend ioctl .* failed: Device or resource busy/);
    assert.match(complaint, /Manual intervention required/);
  }
});

test("thick volumes that are suspended together are cut at one instant, and those that are cut one by one are not", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = ["one", "two", "three"].map((name) => vg.thick(name, "ext4", 64));
  await counting(t, volumes, async (counter) => {
    for (const { dm } of volumes) run("dmsetup", ["suspend", dm]);
    for (const { name } of volumes) snapshot(vg, name, "together");
    for (const { name } of volumes) {
      snapshot(vg, name, "alone");
      await counter.advance(2);
    }
  });
  assert.ok(verifyCounter(pictures(vg, volumes, "together")) > 0);
  assert.throws(() => verifyCounter(pictures(vg, volumes, "alone")), CounterBroken);
});

test("thin volumes that are suspended together are cut at one instant, into volumes that LVM knows", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool");
  const pool = vg.dm("pool", "tpool");
  const volumes = [vg.thin("pool", "one", "ext4"), vg.thin("pool", "two", "xfs"), vg.thin("pool", "three", "ext4")];
  const cuts = volumes.map(({ name, dm }) => {
    // A placeholder: LVM gives it a thin id and a place in its metadata; the pool gets the true snapshot under that id.
    vg.lvm("lvcreate", ["-y", "-an", "-V", "320M", "-T", `${vg.name}/pool`, "-n", `${name}-together`]);
    return { name, dm, origin: thinId(vg, name), snap: thinId(vg, `${name}-together`) };
  });
  await counting(t, volumes, () => {
    for (const { dm } of cuts) run("dmsetup", ["suspend", dm]);
    for (const { snap, origin } of cuts) {
      run("dmsetup", ["message", pool, "0", `delete ${snap}`]);
      run("dmsetup", ["message", pool, "0", `create_snap ${snap} ${origin}`]);
    }
    for (const { dm } of cuts) run("dmsetup", ["resume", dm]);
  });
  for (const { name } of cuts) vg.lvm("lvchange", ["-ay", `${vg.name}/${name}-together`]);
  assert.ok(verifyCounter(pictures(vg, volumes, "together")) > 0);
});

/** Counts on the volumes from before `cut` until after it. */
async function counting(
  t: TestContext,
  volumes: readonly MountedVolume[],
  cut: (counter: Counter) => void | Promise<void>,
): Promise<void> {
  const folders = volumes.map(({ mount }) => `${mount}/counter`);
  for (const folder of folders) mkdirSync(folder);
  const counter = await Counter.start(folders);
  try {
    await cut(counter);
    await counter.advance(5);
  } finally {
    await counter.stop();
  }
  t.diagnostic(`longest step: ${Math.round(counter.lapWorstMs())} ms`);
}

function snapshot(vg: VolumeGroup, name: string, suffix: string): void {
  vg.lvm("lvcreate", ["-An", "-y", "-s", "-L", "32M", "-n", `${name}-${suffix}`, `${vg.name}/${name}`]);
}

function pictures(vg: VolumeGroup, volumes: readonly MountedVolume[], suffix: string): string[] {
  return volumes.map(({ name, fs }) => `${vg.mountSnapshot(`${name}-${suffix}`, fs)}/counter`);
}

function thinId(vg: VolumeGroup, name: string): string {
  return vg.lvm("lvs", ["--noheadings", "-o", "thin_id", `${vg.name}/${name}`]).trim();
}
