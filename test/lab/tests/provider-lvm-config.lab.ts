/** What the host's lvm.conf says, and what a file system lies on beside its volume. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import provider from "@holdstill/provider-lvm";
import { onEnd } from "../../support/process/on-end.js";
import { lvmSets, transaction, volumesOf } from "../support/lvm-set.js";
import { furnish, mounts } from "../support/lvm-state.js";
import { run, VolumeGroup } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

const conf = "/etc/lvm/lvm.conf";

/** Adds settings to lvm.conf until the test ends. The last one of two counts. */
function configure(t: TestContext, settings: string): void {
  const before = readFileSync(conf, "utf8");
  onEnd(t, () => writeFileSync(conf, before));
  writeFileSync(conf, `${before}\n${settings}\n`);
}

const odd = [
  'report { list_item_separator = ";" binary_values_as_numeric = 1 prefixes = 1 quoted = 0 columns_as_rows = 1 }',
  "log { silent = 1 verbose = 1 }",
  "backup { backup = 1 archive = 1 }",
].join("\n");

test("settings of lvm.conf for reports change nothing, and short-lived snapshots leave no archive", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  configure(t, odd);
  const sets = lvmSets(t);
  const { snapshots } = await sets.take(mounts(volumes));
  assert.equal(snapshots.length, 2);
  for (const snapshot of snapshots) {
    await sets.expose(snapshot);
    await provider.remove(snapshot, sets.ctx);
  }
  assert.deepEqual(await listAll(provider, sets.ctx), []);
  assert.deepEqual(existsSync("/etc/lvm/archive") ? readdirSync("/etc/lvm/archive") : [], []);
});

test("a transaction is undone by the names of its volumes, whatever their tags are", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const { ctx } = lvmSets(t);
  const tx = transaction();
  await provider.prepare(tx, volumesOf(mounts(volumes)), ctx);
  const names = vg.lvm("lvs", ["--noheadings", "-o", "lv_name", vg.name]).match(/\S*holdstill\S*/g) ?? [];
  assert.equal(names.length, 2);
  for (const name of names) vg.lvm("lvchange", ["--deltag", `holdstill.set=${tx.id}`, `${vg.name}/${name}`]);
  await provider.abort(tx, ctx);
  assert.doesNotMatch(vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name", vg.name]), /holdstill/);
});

test("a snapshot that LVM may not activate is not sealed", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 100);
  const { mount } = vg.thin("pool", "thin", "ext4", 48);
  configure(t, `activation { volume_list = [ "${vg.name}/thin" ] }`);
  const sets = lvmSets(t);
  await assert.rejects(sets.take([mount]), { message: /activat/i });
});

test("a file system with its log or journal elsewhere is refused, with the reason", async (t) => {
  const vg = new VolumeGroup(t);
  for (const [name, size] of Object.entries({ xfs: 320, log: 64, ext: 64, journal: 16 })) {
    vg.lvm("lvcreate", ["-y", "-Wn", "-L", `${size}M`, "-n", name, vg.name]);
  }
  const device = (name: string): string => `/dev/${vg.name}/${name}`;
  run("mkfs.xfs", ["-q", "-f", "-l", `logdev=${device("log")}`, device("xfs")]);
  run("mke2fs", ["-q", "-F", "-b", "4096", "-O", "journal_dev", device("journal")]);
  run("mkfs.ext4", ["-q", "-F", "-b", "4096", "-J", `device=${device("journal")}`, device("ext")]);
  const { ctx } = lvmSets(t);
  const cases = [
    ["xfs", ["-o", `logdev=${device("log")}`], /its log is on \/dev\//],
    ["ext", [], /its journal is on another device/],
  ] as const;
  for (const [name, options, message] of cases) {
    const at = `/mnt/${vg.name}-${name}`;
    mkdirSync(at);
    run("mount", [...options, device(name), at]);
    onEnd(t, () => void run("umount", [at]));
    const [volume = assert.fail()] = volumesOf([at]);
    await assert.rejects(provider.match(volume, ctx), { code: "UNSUPPORTED", message });
  }
});
