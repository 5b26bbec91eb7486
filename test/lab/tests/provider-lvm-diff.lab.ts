/** Which blocks changed between two thin snapshots. */
import assert from "node:assert/strict";
import { closeSync, copyFileSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import { checkPlugin } from "holdstill/conformance";
import type { Snapshot } from "holdstill/plugin";
import type { ComparedVolume, DiffDocument } from "#core/base/schema/types.js";
import { tempDir } from "../../support/storage/temp.js";
import { repository } from "../../support/repository.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { lvmScene } from "../support/lvm-scene.js";
import { run, VolumeGroup } from "../support/volume-group.js";

/** Rounds of random writes. */
const ROUNDS = 10;
const MIB = 1024 * 1024;

test("what diff lists, written over the older snapshot, gives the newer one: a raw volume, random rounds", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const device = vg.rawThin("pool", "vm-1", 16);
  const command = commandLineWith(t, configFile(t, [{ use: "provider-lvm" }]));
  const copy = path.join(tempDir(t), "copy");
  let before = "";
  let read = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    change(device, 16 * MIB, round);
    const created = await command(["create", device, "--name", `round-${round}`, "--json"]);
    assert.equal(created.exitCode, 0, created.stdout + created.stderr);
    const exposed = await command(["expose", `round-${round}`, "-q"]);
    assert.equal(exposed.exitCode, 0, exposed.stderr);
    const contents = exposed.stdout.trim();
    if (before === "") copyFileSync(contents, copy);
    else {
      const [volume] = ((await command(["diff", before, `round-${round}`, "--json"])).json() as DiffDocument).volumes;
      assert.equal(volume?.state, "compared", JSON.stringify(volume));
      assert.equal(run("blockdev", ["--getsize64", volume.to]).trim(), `${volume.sizeBytes}`);
      read += apply(volume, copy);
      run("cmp", [copy, contents]);
      await command(["unexpose", before]);
      await command(["delete", before, "--yes"]);
    }
    before = `round-${round}`;
  }
  t.diagnostic(`read ${(read / (ROUNDS * 16 * MIB)).toFixed(3)} of all`);
  assert.ok(read < ROUNDS * 16 * MIB);
  assert.doesNotMatch(run("dmsetup", ["status", vg.dm("pool", "tpool")]), /^0 \d+ thin-pool \d+ \d+\/\d+ \d+\/\d+ \d+/);
});

test("a diff of a thick volume names it, and of a pool whose metadata another program reads says how to go on", async (t) => {
  const { sets, vg, thick, thin } = lvmScene(t);
  const first = await sets.take([`${thin.mount}/srv`, `${thick.mount}/srv`]);
  writeFileSync(`${thin.mount}/srv/file`, "changed\n");
  const second = await sets.take([`${thin.mount}/srv`, `${thick.mount}/srv`]);
  const pair = (method: string) =>
    [first, second].map(({ snapshots }) => snapshots.find((one) => one.method === method));
  const [thickFrom, thickTo, thinFrom, thinTo] = [...pair("thick"), ...pair("thin")];
  assert.ok(thickFrom && thickTo && thinFrom && thinTo);
  const diff = async (from: Snapshot, to: Snapshot) =>
    (await provider.diff?.(from, to, sets.ctx)) ?? assert.fail("provider-lvm has no diff");
  await assert.rejects(diff(thickFrom, thickTo), { code: "UNSUPPORTED" });
  const pool = vg.dm("pool", "tpool");
  run("dmsetup", ["message", pool, "0", "reserve_metadata_snap"]);
  await assert.rejects(diff(thinFrom, thinTo), { code: "BUSY" });
  run("dmsetup", ["message", pool, "0", "release_metadata_snap"]);
  const { data, holes, sizeBytes } = await diff(thinFrom, thinTo);
  assert.ok(data.length >= 2 && sizeBytes === 64 * MIB, JSON.stringify({ data, holes, sizeBytes }));
  assert.deepEqual(await diff(thinFrom, thinFrom).then((same) => [same.data, same.holes]), [[], []]);
  for (const { tx } of [second, first]) await provider.abort(tx, sets.ctx);
});

test("provider-lvm passes the check of the suite for changed blocks, on a file system and on a raw volume", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const { mount } = vg.thin("pool", "files", "ext4", 64);
  const fixture = { targets: [mount], devices: [vg.rawThin("pool", "vm-1")], limitSeconds: 60 };
  const only = ["diff-names-all-changes"];
  const { checks } = await checkPlugin(path.join(repository, "plugins/provider-lvm"), {
    fixture,
    only,
    runtimes: ["thread"],
  });
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  assert.equal(checks.find(({ name }) => name === only[0])?.status, "passed");
});

/** Writes to some places, and gives some back to the pool. */
function change(device: string, size: number, round: number): void {
  const fd = openSync(device, "r+");
  try {
    for (let number = 0; number < 5; number += 1) {
      const offset = Math.floor(Math.random() * (size / 4096)) * 4096;
      writeSync(fd, Buffer.alloc(4096, `${round}.${number} `), 0, 4096, offset);
    }
  } finally {
    closeSync(fd);
  }
  run("sync", []);
  const block = Math.floor(Math.random() * (size / MIB)) * MIB;
  run("blkdiscard", ["-o", `${block}`, "-l", `${MIB}`, device]);
}

/** Returns how many bytes were read. */
function apply({ to, extents }: ComparedVolume, copy: string): number {
  const [source, target] = [openSync(to, "r"), openSync(copy, "r+")];
  try {
    let read = 0;
    for (const { offset, length, found } of extents) {
      const bytes = Buffer.alloc(length);
      if (found === "data") read += readSync(source, bytes, 0, length, offset);
      writeSync(target, bytes, 0, length, offset);
    }
    return read;
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
