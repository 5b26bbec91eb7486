/** Plain device-mapper devices as raw devices, by the command line. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import type { TransactionResult } from "#core/engine/types.js";
import { Counter, verifyCounter } from "../../support/storage/counter.js";
import { onEnd } from "../../support/process/on-end.js";
import { holdstill } from "../../support/process/command-line.js";
import { commandLine, commandLineWith, configFile } from "../support/command-line.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { compare, counterOn, exposedIn, fill, wipe } from "../support/raw-device.js";

const plugins = [{ use: "provider-dmsnap", options: { size: "16M" } }];

test("a raw device is captured, exposed, verified, given to a command, reverted, and its set is deleted without a trace", async (t) => {
  const disk = new MappedDisk(t);
  const device = disk.store("raw", 8);
  const config = configFile(t, plugins);
  const command = commandLineWith(t, config);
  const contents = fill(t, device);
  const before = state();
  const created = await command(["create", device, "--json"]);
  assert.equal(created.exitCode, 0, created.stdout + created.stderr);
  const { set } = created.json() as TransactionResult;
  assert.deepEqual([set?.volumes[0]?.kind, set?.consistency, set?.hold?.targets.length], ["block", "crash", 1]);
  wipe(device);
  const exposed = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  compare(exposedIn(exposed, device).path, contents);
  assert.equal((await command(["unexpose", "latest"])).exitCode, 0);
  const verified = await command(["verify", "latest"]);
  assert.equal(verified.exitCode, 0, verified.stdout + verified.stderr);
  const machine = spawn("sh", ["-c", `exec 3<>${device}; echo; exec sleep 1000`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onEnd(t, () => void machine.kill());
  await once(machine.stdout, "data");
  const refused = await command(["revert", "latest", "--yes"]);
  assert.match(refused.stderr, /raw is in use/);
  machine.kill();
  await once(machine, "exit");
  const reverted = await command(["revert", "latest", "--yes"]);
  assert.equal(reverted.exitCode, 0, reverted.stdout + reverted.stderr);
  compare(device, contents);
  const ran = await holdstill([
    "run",
    "--config",
    config,
    device,
    "--",
    "sh",
    "-c",
    `cmp "$HOLDSTILL_DEVICES" ${contents}`,
  ]);
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  const { sets } = (await command(["list", "--json"])).json() as { sets: SnapshotSet[] };
  for (const { id } of sets) assert.equal((await command(["delete", id, "--yes"])).exitCode, 0);
  assert.deepEqual(state(), before);
});

test("a raw device and a file system under load are of one instant", async (t) => {
  const disk = new MappedDisk(t);
  const device = disk.store("raw", 8);
  const { mount } = disk.volume("files", "ext4");
  const command = commandLine(t, plugins);
  const before = state();
  mkdirSync(`${mount}/counter`);
  const counter = await Counter.start([counterOn(t, device), `${mount}/counter`]);
  onEnd(t, async () => void (await counter.stop()));
  const created = await command(["create", device, mount, "--json"]);
  await counter.advance(3);
  await counter.stop();
  assert.equal(created.exitCode, 0, created.stdout + created.stderr);
  const { set } = created.json() as TransactionResult;
  assert.deepEqual([set?.cut, set?.consistency, set?.hold?.targets.length], ["atomic", "crash", 2]);
  const { exposed = [] } = (await command(["expose", "latest", "--json"])).json() as SnapshotSet;
  const [shown] = exposed.flatMap((one) => one.exposed.devices ?? []);
  const [tree] = exposed.flatMap((one) => one.exposed.trees);
  assert.ok(verifyCounter([counterOn(t, shown?.path ?? ""), `${tree?.path}/counter`]) > 0);
  assert.equal((await command(["delete", "latest", "--yes"])).exitCode, 0);
  assert.deepEqual(state(), before);
});
