/** Paths to volumes on real mounts: loop devices with ext4, XFS and btrfs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { formatNumber } from "#core/os/blockdevices.js";
import { type Mount, mountAt, readMounts } from "#core/os/mounts.js";
import { locate } from "#core/plan/locate.js";
import { loopFs, mount } from "../support/storage/loop-device.js";
import { fileSystemsOf } from "../support/storage/file-systems.js";
import { tempDir } from "../support/storage/temp.js";

const wish = (...paths: string[]): { paths: string[]; exclude: string[] } => ({ paths, exclude: [] });

test("a path on a loop mount with spaces in its name is located with its device and backing file", (t) => {
  const fs = loopFs(t, "ext4", "with two spaces");
  if (fs === null) return;
  const [volume, ...others] = fileSystemsOf([fs]);
  assert.equal(others.length, 0);
  assert.equal(volume?.id, formatNumber(statSync(fs).dev));
  assert.equal(volume.mountPoint, fs);
  assert.equal(volume.fsType, "ext4");
  assert.deepEqual(
    volume.devices.map(({ kind, label, sizeBytes }) => [kind, label, sizeBytes]),
    [["loop", path.join(path.dirname(fs), "image"), 320 * 1024 * 1024]],
  );
});

test("two paths on one file system are one volume, and two file systems are two", (t) => {
  const one = loopFs(t, "xfs");
  const other = loopFs(t, "ext4");
  if (one === null || other === null) return;
  for (const dir of [`${one}/a`, `${one}/b`, `${other}/a`]) mkdirSync(dir);
  const { volumes } = locate([wish(`${one}/a`, `${other}/a`), wish(`${one}/b`)]);
  assert.deepEqual(
    volumes.map((volume) => [volume.kind !== "block" && volume.fsType, volume.paths]),
    [
      ["xfs", [`${one}/a`, `${one}/b`]],
      ["ext4", [`${other}/a`]],
    ],
  );
});

test("a path below a captured one is dropped, and is found in the other's snapshot, also by way of a bind mount and a link", (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  mkdirSync(`${fs}/db/base`, { recursive: true });
  const bind = mount(t, ["--bind", `${fs}/db`], path.join(tempDir(t), "bind"));
  const link = path.join(tempDir(t), "link");
  symlinkSync(`${fs}/db`, link);
  const { volumes, places } = locate([wish(`${bind}/base`), wish(`${fs}/db`), wish(link)]);
  assert.deepEqual(
    volumes.map((volume) => volume.paths),
    [[`${fs}/db`]],
  );
  assert.deepEqual(
    places.map(({ requested, original }) => [requested, original]),
    [
      [`${bind}/base`, `${fs}/db/base`],
      [`${fs}/db`, `${fs}/db`],
      [link, `${fs}/db`],
    ],
  );
});

test("btrfs subvolumes are volumes of their own, whether mounted or only nested", (t) => {
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  execFileSync("btrfs", ["subvolume", "create", `${fs}/sub`], { stdio: "pipe" });
  execFileSync("btrfs", ["subvolume", "create", `${fs}/sub/inner`], { stdio: "pipe" });
  mkdirSync(`${fs}/sub/folder`);
  const source = mountOf(fs).source;
  const mounted = mount(t, ["-o", "subvol=sub", source], path.join(tempDir(t), "sub"));
  const folder = mount(t, ["--bind", `${fs}/sub/folder`], path.join(tempDir(t), "folder"));
  const number = mountOf(fs).number;
  const located = locate([wish(fs, mounted, folder, `${fs}/sub/inner`)]);
  assert.deepEqual(
    located.volumes.map((volume) => [volume.id, volume.kind !== "block" && volume.root, volume.paths]),
    [
      [number, "/", [fs]],
      [`${number}/sub`, "/sub", [mounted]],
      [`${number}/sub/inner`, "/sub/inner", [`${fs}/sub/inner`]],
    ],
  );
  assert.equal(located.places[2]?.original, `${mounted}/folder`);
  assert.deepEqual(
    located.volumes.map((volume) => volume.devices.map((device) => `/dev/${device.name}`)),
    [[source], [source], [source]],
  );
});

test("a btrfs over two devices names both", (t) => {
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  const image = path.join(path.dirname(fs), "second");
  execFileSync("truncate", ["-s", "320M", image]);
  const device = execFileSync("losetup", ["--find", "--show", image], { encoding: "utf8" }).trim();
  // Autoclear, as `mount -o loop` sets it: the unmount lets go of it.
  execFileSync("btrfs", ["device", "add", "-f", device, fs], { stdio: "pipe" });
  execFileSync("losetup", ["-d", device]);
  assert.equal(locate([wish(fs)]).volumes[0]?.devices.length, 2);
});

test("mounts below a captured path are reported unless they are captured, excluded or covered", (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const tmpfs = (point: string): string => mount(t, ["-t", "tmpfs", "none"], point);
  for (const name of ["seen", "own", "cache/out", "covered/deep"]) tmpfs(`${fs}/${name}`);
  tmpfs(`${fs}/covered`);
  const request = { paths: [fs, `${fs}/own`], exclude: [`${fs}/cache/*`] };
  assert.deepEqual(locate([request]).nested, [`${fs}/covered`, `${fs}/seen`]);
});

test("the topmost of two mounts on one mount point carries the path, as the kernel says", (t) => {
  const fs = loopFs(t, "xfs");
  if (fs === null) return;
  mount(t, ["-t", "tmpfs", "upper"], fs);
  writeFileSync(`${fs}/file`, "");
  assert.equal(mountOf(`${fs}/file`).fsType, "tmpfs");
  assert.equal(mountOf(`${fs}/file`).number, formatNumber(statSync(`${fs}/file`).dev));
});

test("a target that may not be read is an error that says so", (t) => {
  if (process.getuid?.() !== 0) return t.skip("becoming another user needs root");
  const dir = tempDir(t);
  const script = `
    const { locate } = await import(${JSON.stringify(import.meta.resolve("#core/plan/locate.js"))});
    try { locate([{ paths: ["${dir}"], exclude: [] }]); } catch (error) { console.log(error.message); }`;
  const args = ["--input-type=module", "-e", script];
  const said = execFileSync(process.execPath, args, { uid: 65534, gid: 65534, cwd: "/", encoding: "utf8" });
  assert.equal(said, `The target ${dir} cannot be read: permission denied.\n`);
});

function mountOf(realPath: string): Mount {
  const found = mountAt(readMounts(), realPath);
  assert.ok(found !== undefined, realPath);
  return found;
}
