/** The keeper on real device-mapper devices: killed at each step, before a disk that does not answer, and on f2fs. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { lapseError } from "#core/keeper/client/client.js";
import { armed, sectionOf, thaw } from "../../support/storage/freezable.js";
import { killCores } from "../../support/process/killed-core.js";
import { onEnd } from "../../support/process/on-end.js";
import { refusalOf } from "../../support/process/refusal.js";
import { monotonic, WriteProbe } from "../../support/storage/write-probe.js";
import { isGone } from "../../support/process/victim.js";
import { MappedDisk } from "../support/mapped-disk.js";
import { run } from "../support/volume-group.js";

const rounds = Number(process.env["HOLDSTILL_ROUNDS"] || 1);
/** Time enough for all that can be held. */
const limitMs = 4000;
const isSuspended = (name: string): boolean =>
  run("dmsetup", ["info", "-c", "--noheadings", "-o", "suspended", name]).trim() === "Suspended";

test(`kill -9 of the core, ${rounds} rounds: every device goes on, and its file system`, async (t) => {
  const disk = new MappedDisk(t);
  const devices = (["ext4", "xfs"] as const).map((fs) => disk.volume(fs, fs));
  const held = devices.map(({ dm, mount }) => ({ point: dm, mount, isHeld: () => isSuspended(dm) }));
  const plain = disk.volume("plain", "ext4");
  await killCores(t, [...held, { point: plain.mount, mount: plain.mount, isHeld: () => thaw(plain.mount) }], rounds);
});

for (const kind of ["fs", "dm"] as const) {
  test(`before a disk that does not answer the deadline is kept, the others are released, and the culprit is named: ${kind}`, async (t) => {
    const disk = new MappedDisk(t);
    const other = disk.volume("other", "ext4");
    const low = disk.store("low", 64);
    const top = disk.volumeOn("top", "ext4", low);
    const scribe = new WriteProbe(t, other.mount);
    await scribe.writesAfter(0);
    const culprit = kind === "fs" ? top.mount : top.dm;
    const keeper = await armed(t, sectionOf([other.mount, culprit], limitMs));
    writeFileSync(`${top.mount}/dirty`, Buffer.alloc(1024 * 1024));
    run("dmsetup", ["suspend", "--nolockfs", "low"]);
    onEnd(t, () => run("dmsetup", ["resume", "low"]));
    const asked = monotonic();
    const error = await refusalOf(keeper.hold());
    const took = monotonic() - asked;
    assert.equal(error.code, "E_HOLD_LATE");
    assert.deepEqual(error.details, { targets: [culprit], limitMs });
    t.diagnostic(`rejected ${(took - limitMs).toFixed(0)} ms after the deadline`);
    assert.ok(took < limitMs + 5000);
    assert.ok((await scribe.writesAfter(asked + took)) > 0, "the other one is writable");
    await keeper.disarm();
    run("dmsetup", ["resume", "low"]);
    assert.ok(await isGone(keeper.pid ?? 0, 20_000));
    writeFileSync(`${top.mount}/file`, "it goes on");
    run("sync", ["-f", top.mount]);
    assert.deepEqual([isSuspended(top.dm), thaw(top.mount)], [false, false], "what came late was released at once");
  });
}

test("f2fs is held, and goes on", async (t) => {
  const { mount } = new MappedDisk(t).volume("flash", "f2fs", 128);
  const scribe = new WriteProbe(t, mount);
  await scribe.writesAfter(0);
  const keeper = await armed(t, sectionOf([mount], 10_000));
  await keeper.hold();
  assert.ok(await scribe.standsStill());
  const released = monotonic();
  assert.equal(lapseError(await keeper.release()), null);
  assert.ok((await scribe.writesAfter(released)) > 0);
  await keeper.disarm();
});
