/** What may be held, and in what order: on tables, so that machines are tested that this one is not. */
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
const around: SystemState = {
  mounts: parseMounts(table),
  devices: ({ number }) => stacks[number] ?? [],
  mapper: (name) => Object.values(stacks).find(([top]) => top?.label === name) ?? [],
  swaps: [],
  kernel: "6.1.0-18-amd64",
  guarded: [
    { what: "the root of the system, /", path: "/" },
    { what: "holdstill itself", path: "/usr/lib/holdstill/core" },
    { what: "the state directory", path: "/srv/inner/state" },
  ],
};
const fs = (mount: string): HoldTarget => ({ kind: "fs", mount });
const dm = (name: string): HoldTarget => ({ kind: "dm", name });
const plan = (...points: HoldTarget[]): SectionPlan => ({
  targets: points,
  ops: [],
  limitMs: 1000,
  includeRoot: false,
});
const reasons = (of: SectionPlan, by = around): string[] => refusalsOf(of, by).map(({ reason }) => reason);

test("a volume that carries nothing of the system may be held, as a file system or as a device", () => {
  const elsewhere = { ...around, guarded: [] };
  assert.deepEqual(reasons(plan(fs("/srv"), fs("/home"))), ["it carries the state directory"]);
  assert.deepEqual(reasons(plan(fs("/srv"), fs("/home")), elsewhere), []);
  assert.deepEqual(reasons(plan(dm("vg0-srv")), elsewhere), []);
});

test("root is refused by its mount and by its device, and allowed when it is included", () => {
  for (const point of [fs("/"), dm("vg0-root")]) {
    assert.deepEqual(reasons(plan(point)), ["it carries the root of the system, /"]);
    assert.deepEqual(reasons({ ...plan(point), includeRoot: true }), []);
  }
});

test("a state directory is carried also by what lies below the loop device that it is on", () => {
  for (const point of [fs("/srv/inner"), fs("/srv"), dm("vg0-srv")]) {
    assert.deepEqual(reasons(plan(point)), ["it carries the state directory"]);
  }
  assert.deepEqual(reasons(plan(fs("/usr/lib/holdstill"))), ["it carries holdstill itself"]);
});

test("active swap is refused, a file or a device, also where root is included", () => {
  const swaps = [
    { path: "/data/swapfile", devices: [] },
    { path: "/dev/dm-2", devices: stacks["253:2"] ?? [] },
  ];
  const included = { ...plan(fs("/home"), dm("vg0-swap")), includeRoot: true };
  assert.deepEqual(reasons(included, { ...around, swaps }), [
    "it carries the active swap space /data/swapfile",
    "it carries the active swap space /dev/dm-2",
  ]);
});

test("file systems that cannot freeze are refused, each with what to do, all at once", () => {
  const refusals = refusalsOf(plan(fs("/tmp"), fs("/net"), fs("/far")), around);
  assert.deepEqual(
    refusals.map(({ target: point }) => point),
    ["/tmp", "/net", "/far"],
  );
  assert.match(refusals[0]?.reason ?? "", /^it is tmpfs: it lies in memory/);
  assert.match(refusals[1]?.remedy ?? "", /machine that has the disks/);
  assert.match(refusals[2]?.reason ?? "", /^it is fuse.sshfs/);
});

test("a folder that is no mount point and a device that does not exist are refused", () => {
  assert.deepEqual(reasons(plan(fs("/srv/folder"), dm("vg0-gone"))), [
    "it is not a mount point",
    "there is no such device-mapper device",
  ]);
});

test("a frozen file system and its suspended device go together only from Linux 6.8 on", () => {
  const both = plan(fs("/srv"), dm("vg0-srv"));
  const on = (kernel: string): string[] => reasons(both, { ...around, guarded: [], kernel });
  assert.match(on("6.1.0-18-amd64")[0] ?? "", /cannot suspend the device vg0-srv while/);
  assert.equal(on("6.7.12").length, 1);
  assert.deepEqual(on("6.8.0"), []);
  assert.deepEqual(on("7.2-rc1"), []);
});

test("what lies on another point is held before it, root last, and the rest at a time", () => {
  const points = [fs("/"), dm("vg0-srv"), fs("/srv"), fs("/srv/inner"), fs("/home"), fs("/data")];
  const order = holdOrder(points, { ...around, guarded: around.guarded.slice(0, 1) });
  const rank = (point: HoldTarget): number | undefined =>
    order.find((stop) => stop.points.includes(point))?.station.rank;
  assert.deepEqual(points.slice(1).map(rank), [2, 1, 0, 0, 0]);
  assert.ok((rank(points[0] ?? fs("/")) ?? 0) > 2);
  assert.equal(order.length, 5, "two subvolumes are one file system");
});

test("a station knows the identity of its file system", () => {
  const [stop] = holdOrder([fs("/srv")], around);
  assert.deepEqual(stop?.station.identity, { mountId: 30, number: "253:1", fsType: "xfs" });
});
