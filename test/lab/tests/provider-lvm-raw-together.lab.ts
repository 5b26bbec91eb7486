/** Raw logical volumes beside file systems, by all of their names, and below other devices. */
import assert from "node:assert/strict";
import { mkdirSync, realpathSync } from "node:fs";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import type { TransactionResult } from "#core/engine/types.js";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { onEnd } from "../../support/process/on-end.js";
import { commandLine } from "../support/command-line.js";
import { stateOf } from "../support/lvm-state.js";
import { compare, counterOn, exposedIn, fill, wipe } from "../support/raw-device.js";
import { run, VolumeGroup } from "../support/volume-group.js";

/** Room for all of a device, and for the tables of its snapshot. */
const plugins = [{ use: "provider-lvm", options: { size: "16M" } }];

test("raw devices and a file system under load are of one instant", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 150);
  const [thick, thin] = [vg.rawThick("thick"), vg.rawThin("pool", "thin")];
  const { mount } = vg.thin("pool", "files", "ext4", 48);
  const command = commandLine(t, plugins);
  const before = stateOf(vg);
  mkdirSync(`${mount}/counter`);
  const folders = [counterOn(t, thick), `${mount}/counter`, counterOn(t, thin)];
  const counter = await Counter.start(folders);
  onEnd(t, async () => void (await counter.stop()));
  const created = await command(["create", thick, mount, thin, "--json"]);
  await counter.advance(3);
  await counter.stop();
  assert.equal(created.exitCode, 0, created.stdout + created.stderr);
  const { set } = created.json() as TransactionResult;
  assert.deepEqual([set?.cut, set?.consistency, set?.hold?.targets.length], ["atomic", "crash", 3]);
  assert.deepEqual(
    set?.components.map(({ component, consistency }) => [component.kind, consistency]),
    [
      ["device", "crash"],
      ["files", "filesystem"],
      ["device", "crash"],
    ],
  );
  const { exposed = [] } = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  const devices = exposed.flatMap((one) => one.exposed.devices ?? []);
  const [tree] = exposed.flatMap((one) => one.exposed.trees);
  const shown = (original: string): string =>
    counterOn(t, devices.find((device) => device.original === original)?.path ?? assert.fail(original));
  assert.ok(verifyCounter([shown(thick), `${tree?.path}/counter`, shown(thin)]) > 0);
  assert.equal((await command(["delete", "latest", "--yes"])).exitCode, 0);
  assert.equal(stateOf(vg), before);
});

test("a device has one volume, by whichever name, and one that something is on is refused with its name", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 60);
  const device = vg.rawThick("disk");
  const other = vg.thick("files", "ext4", 48);
  const command = commandLine(t, plugins);
  const names = [realpathSync(`/dev/${vg.name}/disk`), `/dev/${vg.name}/disk`, `${vg.name}/disk`, device];
  const planned = await command(["plan", ...names, "--json"]);
  assert.equal(planned.exitCode, 0, planned.stdout + planned.stderr);
  const { volumes } = planned.json() as { volumes: { volume: { paths: string[] } }[] };
  assert.deepEqual(
    volumes.map(({ volume }) => volume.paths),
    [[device]],
  );
  const [pv = ""] = vg.lvm("vgs", ["--noheadings", "-o", "pv_name", vg.name]).trim().split("\n");
  const below = await command(["plan", pv.trim()]);
  assert.equal(below.exitCode, 3, below.stdout);
  assert.match(below.stderr, new RegExp(`${device} \\(lvm\\)[^]*${other.mount}`));
  const pool = await command(["plan", `/dev/mapper/${vg.dm("pool")}`]);
  assert.equal(pool.exitCode, 3, pool.stdout);
  assert.match(pool.stderr, /cannot be snapshotted|is on it|No provider/);

  const sectors = run("blockdev", ["--getsz", device]).trim();
  const key = "0".repeat(64);
  run("dmsetup", [
    "create",
    "vault",
    "--uuid",
    "CRYPT-PLAIN-vault",
    "--table",
    `0 ${sectors} crypt aes-xts-plain64 ${key} 0 ${device} 0`,
  ]);
  onEnd(t, () => void run("dmsetup", ["remove", "vault"]));
  const encrypted = await command(["plan", device]);
  assert.equal(encrypted.exitCode, 3, encrypted.stdout);
  assert.match(encrypted.stderr, /\/dev\/mapper\/vault/);
  const contents = fill(t, "/dev/mapper/vault");
  const created = await command(["create", "/dev/mapper/vault"]);
  assert.equal(created.exitCode, 0, created.stdout + created.stderr);
  wipe("/dev/mapper/vault");
  const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  compare(exposedIn(exposed, "/dev/mapper/vault").path, contents);
  assert.equal((await command(["delete", "latest", "--yes"])).exitCode, 0);
});
