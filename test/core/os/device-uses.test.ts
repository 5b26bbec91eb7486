/** What a block device is used for, by tables like those of the kernel. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { usesOf } from "#core/os/device-uses.js";
import type { Mount } from "#core/os/mounts.js";
import { tempDir } from "../../support/storage/temp.js";

test("a disk of a volume group is used by each logical volume on it, and by what is mounted from one", (t) => {
  const sys = new FakeSys(t);
  sys.device("sda", "8:0");
  sys.mapped("dm-0", "253:0", "vg0-root", ["sda"]);
  sys.mapped("dm-1", "253:1", "vg0-vm--disk", ["sda"]);
  const tables = { mounts: [mount("253:0", "/")], swaps: [] };
  assert.deepEqual(usesOf("sda", tables, sys.root), [
    { by: "mount", mountPoint: "/" },
    { by: "device", kind: "lvm", node: "/dev/mapper/vg0-vm--disk" },
  ]);
  assert.deepEqual(usesOf("dm-1", tables, sys.root), []);
});

test("a partition that is mounted, or swap, uses its disk, and one that is neither does not", (t) => {
  const sys = new FakeSys(t);
  sys.device("sdb", "8:16");
  for (const number of [1, 2, 3]) sys.partition("sdb", `sdb${number}`, `8:${16 + number}`);
  const swap = { name: "sdb2", number: "8:18", kind: "partition", sizeBytes: 0, lower: ["sdb"] } as const;
  const swaps = [{ path: "/dev/sdb2", devices: [{ ...swap, lower: [...swap.lower] }] }];
  const tables = { mounts: [mount("8:17", "/srv")], swaps };
  assert.deepEqual(usesOf("sdb", tables, sys.root), [
    { by: "mount", mountPoint: "/srv" },
    { by: "swap", path: "/dev/sdb2" },
  ]);
  assert.deepEqual(usesOf("sdb3", tables, sys.root), []);
  assert.deepEqual(usesOf("sdb", { mounts: [], swaps: [] }, sys.root), []);
});

test("each member of a btrfs is used by it, also one that the mount table does not name", (t) => {
  const sys = new FakeSys(t);
  sys.device("sdc", "8:32");
  sys.device("sdd", "8:48");
  for (const member of ["sdc", "sdd"])
    mkdirSync(path.join(sys.root, "fs/btrfs/abc/devices", member), { recursive: true });
  const tables = { mounts: [{ ...mount("0:50", "/home"), fsType: "btrfs", source: "/dev/sdc" }], swaps: [] };
  for (const member of ["sdc", "sdd"])
    assert.deepEqual(usesOf(member, tables, sys.root), [{ by: "mount", mountPoint: "/home" }]);
});

const mount = (number: string, mountPoint: string): Mount => ({
  id: 1,
  parent: 0,
  number,
  root: "/",
  mountPoint,
  fsType: "ext4",
  source: "none",
  options: [],
});

/** Devices as in sysfs. */
class FakeSys {
  readonly root: string;

  constructor(t: TestContext) {
    this.root = tempDir(t);
    for (const dir of ["class/block", "dev/block", "devices"])
      mkdirSync(path.join(this.root, dir), { recursive: true });
  }

  device(name: string, number: string, dir = path.join(this.root, "devices", name)): string {
    mkdirSync(path.join(dir, "holders"), { recursive: true });
    mkdirSync(path.join(dir, "slaves"), { recursive: true });
    writeFileSync(path.join(dir, "dev"), `${number}\n`);
    symlinkSync(dir, path.join(this.root, "class/block", name));
    symlinkSync(dir, path.join(this.root, "dev/block", number));
    return dir;
  }

  partition(disk: string, name: string, number: string): void {
    const dir = this.device(name, number, path.join(this.root, "devices", disk, name));
    writeFileSync(path.join(dir, "partition"), "1\n");
  }

  /** A logical volume on others. */
  mapped(name: string, number: string, label: string, lower: readonly string[]): void {
    const dir = this.device(name, number);
    mkdirSync(path.join(dir, "dm"));
    writeFileSync(path.join(dir, "dm/name"), `${label}\n`);
    writeFileSync(path.join(dir, "dm/uuid"), "LVM-x\n");
    for (const below of lower) mkdirSync(path.join(this.root, "devices", below, "holders", name));
  }
}
