/** Block devices as targets. Only root can make one. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { locate } from "#core/plan/locate.js";
import { absoluteTarget, parseTarget } from "#core/plan/targets.js";
import type { Mount } from "#core/os/mounts.js";
import { onEnd } from "../../support/process/on-end.js";
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
  assert.deepEqual(parseTarget(device, [], [mount("8:1", "/", "/dev/sda1"), mount("0:39", "/home", device)]), {
    is: "path",
    asked: device,
    path: "/home",
  });
});

test("a block device whose mount point is covered is not taken for what covers it, and another mount of it is", (t) => {
  const device = blockDevice(t);
  if (device === null) return;
  const [root, srv] = [mount("8:1", "/", "/dev/sda1"), mount("259:4242", "/srv", device)];
  const cover: Mount = { ...mount("0:50", "/srv", "tmpfs"), id: 3, parent: srv.id };
  const refused = { code: "E_TARGET_UNREADABLE", message: /another file system is mounted over \/srv/ };
  assert.throws(() => parseTarget(device, [], [root, srv, cover]), refused);
  const part: Mount = { ...mount("259:4242", "/part", device), id: 4, root: "/folder" };
  assert.throws(() => parseTarget(device, [], [root, srv, cover, part]), { message: /only a part of it.*\/part/ });
  const again: Mount = { ...mount("259:4242", "/again", device), id: 5 };
  const found = parseTarget(device, [], [root, srv, cover, part, again]);
  assert.equal(found.is === "path" && found.path, "/again");
});

test("a block device that is not mounted stands for itself, and one that the kernel does not have is refused", (t) => {
  const device = blockDevice(t);
  if (device === null) return;
  const mounts = [mount("8:1", "/", "/dev/sda1")];
  assert.deepEqual(parseTarget(device, [], mounts), { is: "path", asked: device, path: device });
  assert.throws(() => locate([{ paths: [device], exclude: [] }]), {
    code: "E_TARGET_UNREADABLE",
    message: /the kernel has no such device/,
  });
});

test("GROUP/VOLUME, as LVM prints it, is the device of that name, unless there is such a path", (t) => {
  const device = blockDevice(t);
  if (device === null) return;
  const group = `holdstill-test-${process.pid}`;
  mkdirSync(`/dev/${group}`);
  onEnd(t, () => rmSync(`/dev/${group}`, { recursive: true }));
  symlinkSync(device, `/dev/${group}/data`);
  assert.equal(absoluteTarget(`${group}/data`), `/dev/${group}/data`);
  assert.equal(absoluteTarget(`${group}/other`), path.resolve(`${group}/other`));
  assert.equal(absoluteTarget("./data"), path.resolve("data"));
});

const mount = (number: string, mountPoint: string, source: string): Mount => ({
  id: mountPoint === "/" ? 1 : 2,
  parent: mountPoint === "/" ? 0 : 1,
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
