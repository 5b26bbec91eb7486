/** Storage tables as text: captured from running kernels, so that devices are tested that this machine does not have. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { devicesBelow, formatNumber } from "#core/os/blockdevices.js";
import { locate } from "#core/plan/locate.js";
import { isExclusionAgreed, leavesOut } from "#core/plan/exclude.js";
import { mountAt, parseMounts, realPathOf, type Mount } from "#core/os/mounts.js";
import { tempDir } from "../../support/storage/temp.js";

const table = String.raw`
25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
26 25 0:5 / /proc rw,nosuid shared:5 master:2 - proc proc rw
30 25 253:3 / /srv/my\040data rw,relatime shared:7 - xfs /dev/mapper/vg0-data rw,inode64
31 25 0:39 /home /home rw,relatime - btrfs /dev/sdb1 rw,subvolid=256,subvol=/home
32 25 0:39 /home/ann/pub /pub rw,relatime - btrfs /dev/sdb1 rw,subvolid=256,subvol=/home
33 25 0:44 / /merged rw,relatime - overlay overlay rw,lowerdir=/a\134:b:/c,upperdir=/u,workdir=/w
40 25 7:0 / /mnt/a rw - ext4 /dev/loop0 rw
41 40 7:1 / /mnt/a/b rw - ext4 /dev/loop1 rw
42 40 7:2 / /mnt/a rw - tmpfs tmpfs rw
43 25 8:1 /odd\012\011\043name /odd\012\011\043name rw - ext4 /dev/sda1 rw
`.trim();

test("a mount table is read with spaces, tabs, newlines, hashes and backslashes in its names", () => {
  const mounts = parseMounts(`${table}\n`);
  assert.equal(mounts.length, 10);
  assert.equal(mounts[2]?.mountPoint, "/srv/my data");
  assert.equal(mounts[9]?.root, "/odd\n\t#name");
  assert.deepEqual(mounts[5]?.options.slice(1, 2), ["lowerdir=/a\\:b:/c"]);
});

test("the optional fields of a mount, none or several, do not shift the others", () => {
  const [root, proc, , home] = parseMounts(table);
  assert.deepEqual([root?.fsType, root?.source], ["ext4", "/dev/root"]);
  assert.deepEqual([proc?.fsType, proc?.parent], ["proc", 25]);
  assert.deepEqual([home?.root, home?.number], ["/home", "0:39"]);
});

test("a path belongs to the innermost mount on its way", () => {
  const mounts = parseMounts(table);
  const at = (target: string): number | undefined => mountAt(mounts, target)?.id;
  assert.equal(at("/"), 25);
  assert.equal(at("/srv/my data/db"), 30);
  assert.equal(at("/srv/my database"), 25);
  assert.equal(at("/homestead"), 25);
});

test("a mount that another one covers is not found, though its mount point is the longer", () => {
  const mounts = parseMounts(table);
  assert.equal(mountAt(mounts, "/mnt/a/b/file")?.id, 42);
});

test("a line that is not of a mount table is refused", () => {
  assert.throws(() => parseMounts("hello world"), TypeError);
});

test("a target that does not exist is an error that names it", () => {
  assert.throws(() => realPathOf("/no/such/place"), {
    code: "E_TARGET_UNREADABLE",
    details: { target: "/no/such/place", reason: "it does not exist" },
  });
});

test("what is in a file system of the kernel is no data: some files of it never end", () => {
  assert.throws(() => locate([{ paths: ["/proc/version"], exclude: [] }]), {
    code: "E_TARGET_UNREADABLE",
    details: { target: "/proc/version", reason: "it is in a file system of the kernel (proc), not data" },
  });
});

test("a device number is split as stat gives it", () => {
  assert.equal(formatNumber(0x0801), "8:1");
  assert.equal(formatNumber(0x1_0fd03), "253:259");
});

test("an LVM volume on LUKS on RAID on partitions is walked down to the disks, each device once", (t) => {
  const sys = fakeSys(t, {
    "dm-1": {
      number: "253:1",
      dm: ["vg0-data", "LVM-Q2fKkvNVo1rCHc0LEdb6Ibd9tBxWd0bXrmS3dWQdCc9KxTQ4ym9"],
      slaves: ["dm-0"],
    },
    "dm-0": { number: "253:0", dm: ["secret", "CRYPT-LUKS2-4f0a2c7c95a34a3b8d3f2b2f7a9c1e00-secret"], slaves: ["md0"] },
    md0: { number: "9:0", has: ["md"], slaves: ["sda1", "sdb1"] },
    sda: { number: "8:0" },
    sdb: { number: "8:16" },
    "sda/sda1": { number: "8:1", has: ["partition"] },
    "sdb/sdb1": { number: "8:17", has: ["partition"] },
  });
  const stack = devicesBelow(mountOn("253:1", "xfs"), sys);
  assert.deepEqual(
    stack.map(({ name, kind, lower }) => [name, kind, lower]),
    [
      ["dm-1", "lvm", ["dm-0"]],
      ["dm-0", "crypt", ["md0"]],
      ["md0", "raid", ["sda1", "sdb1"]],
      ["sda1", "partition", ["sda"]],
      ["sdb1", "partition", ["sdb"]],
      ["sda", "disk", []],
      ["sdb", "disk", []],
    ],
  );
  assert.equal(stack[0]?.label, "vg0-data");
  assert.equal(stack[0]?.sizeBytes, 4096 * 512);
});

test("device-mapper devices are told apart by who made them", (t) => {
  const sys = fakeSys(t, {
    "dm-0": { number: "253:0", dm: ["mpatha", "mpath-3600508b400105e210000900000490000"] },
    "dm-1": { number: "253:1", dm: ["mpatha1", "part1-mpath-3600508b400105e210000900000490000"], slaves: ["dm-0"] },
    "dm-2": { number: "253:2", dm: ["by-hand", ""] },
  });
  const kinds = ["253:0", "253:1", "253:2"].map((number) => devicesBelow(mountOn(number, "ext4"), sys)[0]);
  assert.deepEqual(
    kinds.map((device) => device?.kind),
    ["multipath", "dm", "dm"],
  );
  assert.equal(kinds[2]?.uuid, undefined);
});

test("a device that goes away while it is looked at is left out, and those below it", (t) => {
  const sys = fakeSys(t, {
    "dm-0": { number: "253:0", dm: ["data", ""], slaves: ["sda", "sdb"] },
    sda: { number: "8:0" },
  });
  symlinkSync(path.join(sys, "devices/sdb"), path.join(sys, "class/block/sdb"));
  const stack = devicesBelow(mountOn("253:0", "ext4"), sys);
  assert.deepEqual(
    stack.map(({ name }) => name),
    ["dm-0", "sda"],
  );
  symlinkSync(path.join(sys, "devices/sdb"), path.join(sys, "dev/block/8:16"));
  assert.deepEqual(devicesBelow(mountOn("8:16", "ext4"), sys), []);
});

test("a file system without a block device has an empty stack", (t) => {
  assert.deepEqual(devicesBelow(mountOn("0:50", "tmpfs"), fakeSys(t, {})), []);
});

test("an exclusion holds only if everybody who captures the place agrees", () => {
  const database = { paths: ["/db"], exclude: ["/db/wal/*"] };
  assert.equal(isExclusionAgreed("/db/wal/*", [database]), true);
  assert.equal(isExclusionAgreed("/db/wal/*", [database, { paths: ["/"], exclude: [] }]), false);
  assert.equal(isExclusionAgreed("/db/wal/*", [database, { paths: ["/"], exclude: ["/db"] }]), true);
  assert.equal(isExclusionAgreed("/db", [database, { paths: ["/"], exclude: ["/db"] }]), false);
  assert.equal(isExclusionAgreed("/db/wal/*", [database, { paths: ["/db"], exclude: ["/db/wal"] }]), true);
  assert.equal(isExclusionAgreed("/db/wal/*", [database, { paths: ["/db/wal/archive"], exclude: [] }]), false);
  assert.equal(isExclusionAgreed("/db/wal/*", [database, { paths: ["/other"], exclude: [] }]), true);
});

test("a trailing /* leaves out the content and keeps the directory", () => {
  assert.equal(leavesOut("/db/wal/*", "/db/wal"), false);
  assert.equal(leavesOut("/db/wal/*", "/db/wal/1"), true);
  assert.equal(leavesOut("/db/wal", "/db/wallet"), false);
  assert.equal(leavesOut("/db/wal", "/db/wal"), true);
});

interface FakeDevice {
  number: string;
  dm?: [name: string, uuid: string];
  slaves?: string[];
  has?: string[];
}

/** A /sys of files and links, laid out as the kernel lays it out. Partitions lie inside their disk: `sda/sda1`. */
function fakeSys(t: TestContext, devices: Record<string, FakeDevice>): string {
  const sys = tempDir(t);
  for (const dir of ["dev/block", "class/block", "devices"]) mkdirSync(path.join(sys, dir), { recursive: true });
  for (const [place, device] of Object.entries(devices)) {
    const dir = path.join(sys, "devices", place);
    mkdirSync(dir, { recursive: true });
    writeFileSync(path.join(dir, "dev"), `${device.number}\n`);
    writeFileSync(path.join(dir, "size"), "4096\n");
    for (const entry of [...(device.has ?? []), ...(device.slaves ?? []).map((slave) => `slaves/${slave}`)]) {
      mkdirSync(path.join(dir, entry), { recursive: true });
    }
    if (device.dm !== undefined) {
      mkdirSync(path.join(dir, "dm"));
      writeFileSync(path.join(dir, "dm/name"), `${device.dm[0]}\n`);
      writeFileSync(path.join(dir, "dm/uuid"), `${device.dm[1]}\n`);
    }
    symlinkSync(dir, path.join(sys, "dev/block", device.number));
    symlinkSync(dir, path.join(sys, "class/block", path.basename(place)));
  }
  return sys;
}

function mountOn(number: string, fsType: string): Mount {
  return { id: 1, parent: 0, number, root: "/", mountPoint: "/x", fsType, source: "none", options: [] };
}

test("a path is located among thousands of mounts of a container host as among a few", (t) => {
  const count = 20_000;
  const lines = Array.from(
    { length: count },
    (_, at) => `${at + 2} 1 0:${at + 60} / /var/lib/containers/${at}/merged rw - overlay overlay rw`,
  );
  const mounts = parseMounts(`1 0 254:0 / / rw - ext4 /dev/root rw\n${lines.join("\n")}\n`);
  const dir = tempDir(t);
  const begun = performance.now();
  const { nested } = locate(
    [
      { paths: ["/"], exclude: [] },
      { paths: [dir], exclude: [] },
    ],
    { mounts, devices: () => [] },
  );
  assert.equal(nested.length, count);
  // A look at each mount for each mount took a minute.
  assert.ok(performance.now() - begun < 15_000, "ms");
});
