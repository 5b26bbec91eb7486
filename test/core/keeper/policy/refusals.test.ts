/** What may be held, and in what order. The tables stand for machines unlike this one. */
import assert from "node:assert/strict";
import test from "node:test";
import { holdOrder } from "#core/keeper/policy/hold-order.js";
import { refusalsOf } from "#core/keeper/policy/refusals.js";
import type { SectionPlan } from "#core/keeper/client/client.js";
import type { SystemState } from "#core/keeper/policy/system-tables.js";
import type { BlockDevice, HoldTarget } from "#core/base/schema/types.js";
import { parseMounts } from "#core/os/mounts.js";

const table = `
25 1 253:0 / / rw - ext4 /dev/mapper/vg0-root rw
30 25 253:1 / /srv rw - xfs /dev/mapper/vg0-srv rw
31 25 0:39 /home /home rw - btrfs /dev/sdb1 rw,subvol=/home
32 25 0:39 /data /data rw - btrfs /dev/sdb1 rw,subvol=/data
33 30 7:0 / /srv/inner rw - ext4 /dev/loop0 rw
34 25 0:50 / /tmp rw - tmpfs tmpfs rw
35 25 0:51 / /net rw - nfs4 server:/export rw
36 25 0:52 / /far rw - fuse.sshfs far: rw
37 25 8:3 / /usr/lib/holdstill rw - ext4 /dev/sda3 rw`.trim();

const device = (name: string, number: string, kind: BlockDevice["kind"], label?: string): BlockDevice => {
  return { name, number, kind, ...(label === undefined ? {} : { label }), sizeBytes: 1, lower: [] };
};
const disk = device("sda2", "8:2", "partition");
const stacks: Record<string, BlockDevice[]> = {
  "253:0": [device("dm-0", "253:0", "lvm", "vg0-root"), disk],
  "253:1": [device("dm-1", "253:1", "lvm", "vg0-srv"), disk],
  "253:2": [device("dm-2", "253:2", "lvm", "vg0-swap"), disk],
  "7:0": [device("loop0", "7:0", "loop", "/srv/inner.img")],
  "8:3": [device("sda3", "8:3", "partition")],
};
const system: SystemState = {
  mounts: parseMounts(table),
  devices: ({ number }) => stacks[number] ?? [],
  mapper: (name) => Object.values(stacks).find(([top]) => top?.label === name) ?? [],
  swaps: [],
  kernel: "6.1.0-18-amd64",
  protectedPaths: [
    { what: "the root of the system, /", path: "/" },
    { what: "holdstill itself", path: "/usr/lib/holdstill/core" },
    { what: "the state directory", path: "/srv/inner/state" },
  ],
};
const fs = (mount: string): HoldTarget => ({ kind: "fs", mount });
const dm = (name: string): HoldTarget => ({ kind: "dm", name });
const plan = (...targets: HoldTarget[]): SectionPlan => ({
  targets,
  ops: [],
  limitMs: 1000,
  includeRoot: false,
});
const reasons = (of: SectionPlan, by = system): string[] => refusalsOf(of, by).map(({ reason }) => reason);

test("a volume that carries nothing of the system may be held, as a file system or as a device", () => {
  const elsewhere = { ...system, protectedPaths: [] };
  assert.deepEqual(reasons(plan(fs("/srv"), fs("/home"))), ["it carries the state directory"]);
  assert.deepEqual(reasons(plan(fs("/srv"), fs("/home")), elsewhere), []);
  assert.deepEqual(reasons(plan(dm("vg0-srv")), elsewhere), []);
});

test("root is refused by its mount and by its device, and allowed when it is included", () => {
  for (const target of [fs("/"), dm("vg0-root")]) {
    assert.deepEqual(reasons(plan(target)), ["it carries the root of the system, /"]);
    assert.deepEqual(reasons({ ...plan(target), includeRoot: true }), []);
  }
});

test("a state directory on a loop device is carried by everything below that device", () => {
  for (const target of [fs("/srv/inner"), fs("/srv"), dm("vg0-srv")]) {
    assert.deepEqual(reasons(plan(target)), ["it carries the state directory"]);
  }
  assert.deepEqual(reasons(plan(fs("/usr/lib/holdstill"))), ["it carries holdstill itself"]);
});

test("active swap is refused, a file or a device, also with root included", () => {
  const swaps = [
    { path: "/data/swapfile", devices: [] },
    { path: "/dev/dm-2", devices: stacks["253:2"] ?? [] },
  ];
  const included = { ...plan(fs("/home"), dm("vg0-swap")), includeRoot: true };
  assert.deepEqual(reasons(included, { ...system, swaps }), [
    "it carries the active swap space /data/swapfile",
    "it carries the active swap space /dev/dm-2",
  ]);
});

test("file systems that cannot freeze are refused all at once, each with a remedy", () => {
  const refusals = refusalsOf(plan(fs("/tmp"), fs("/net"), fs("/far")), system);
  assert.deepEqual(
    refusals.map(({ target }) => target),
    ["/tmp", "/net", "/far"],
  );
  assert.match(refusals[0]?.reason ?? "", /^it is tmpfs: it is in memory/);
  assert.match(refusals[1]?.remedy ?? "", /machine that has the disks/);
  assert.match(refusals[2]?.reason ?? "", /^it is fuse.sshfs/);
});

test("a folder that is not a mount point and a device that does not exist are refused", () => {
  assert.deepEqual(reasons(plan(fs("/srv/folder"), dm("vg0-gone"))), [
    "it is not a mount point",
    "device-mapper has no device of that name",
  ]);
});

test("a file system and its device can both be held only from Linux 6.8 on", () => {
  const both = plan(fs("/srv"), dm("vg0-srv"));
  const on = (kernel: string): string[] => reasons(both, { ...system, protectedPaths: [], kernel });
  assert.match(on("6.1.0-18-amd64")[0] ?? "", /cannot suspend the device vg0-srv while/);
  assert.equal(on("6.7.12").length, 1);
  assert.deepEqual(on("6.8.0"), []);
  assert.deepEqual(on("7.2-rc1"), []);
});

test("a target on another one is held before it, root last, and the rest at the same time", () => {
  const targets = [fs("/"), dm("vg0-srv"), fs("/srv"), fs("/srv/inner"), fs("/home"), fs("/data")];
  const order = holdOrder(targets, { ...system, protectedPaths: system.protectedPaths.slice(0, 1) });
  const rank = (target: HoldTarget): number | undefined =>
    order.find(({ names }) => names.includes(target))?.target.rank;
  assert.deepEqual(targets.slice(1).map(rank), [2, 1, 0, 0, 0]);
  assert.ok((rank(targets[0] ?? fs("/")) ?? 0) > 2);
  assert.equal(order.length, 5, "two subvolumes are one file system");
});

test("an arm target has the identity of its file system", () => {
  const [ordered] = holdOrder([fs("/srv")], system);
  assert.deepEqual(ordered?.target.identity, { mountId: 30, number: "253:1", fsType: "xfs" });
});
