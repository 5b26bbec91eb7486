/** Block devices as targets. Only root can make one. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { parseTarget } from "#core/plan/targets.js";
import type { Mount } from "#core/os/mounts.js";
import { tempDir } from "../../support/storage/temp.js";

test("a block device stands for where it is mounted, also by way of a link", (t) => {
  const device = blockDevice(t);
  if (device === null) return;
  symlinkSync(device, `${device}-link`);
  const mounts = [mount("8:1", "/", "/dev/sda1"), mount("259:4242", "/srv", "/dev/mapper/vg0-srv")];
  for (const asked of [device, `${device}-link`])
    assert.deepEqual(parseTarget(asked, [], mounts), { is: "path", asked, path: "/srv" });
});

test("a block device with a btrfs, which has another number, is known by its name in the mount table", (t) => {
  const device = blockDevice(t);
  if (device === null) return;
  assert.deepEqual(parseTarget(device, [], [mount("0:39", "/home", device)]), {
    is: "path",
    asked: device,
    path: "/home",
  });
});

test("a block device that is not mounted is refused", (t) => {
  const device = blockDevice(t);
  if (device === null) return;
  assert.throws(() => parseTarget(device, [], [mount("8:1", "/", "/dev/sda1")]), {
    code: "E_TARGET_UNREADABLE",
    details: { target: device, reason: "the device is not mounted" },
  });
});

const mount = (number: string, mountPoint: string, source: string): Mount => ({
  id: 1,
  parent: 0,
  number,
  root: "/",
  mountPoint,
  fsType: "ext4",
  source,
  options: [],
});

/** A device file with a number that no device has. null: this machine does not allow us to make one. */
function blockDevice(t: TestContext): string | null {
  const file = path.join(tempDir(t), "device");
  if (spawnSync("mknod", [file, "b", "259", "4242"]).status !== 0) {
    t.skip("making a device file needs root");
    return null;
  }
  execFileSync("test", ["-b", file]);
  return file;
}
