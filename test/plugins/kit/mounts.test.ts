import assert from "node:assert/strict";
import test from "node:test";
import { mount, mountSnapshot, parseMounts, readMounts, unmount } from "#kit/mounts.js";
import type { ExecResult } from "holdstill/plugin";

const line = (point: string, options = "rw,relatime"): string =>
  `36 35 252:3 /sub ${point} ${options} shared:1 master:2 - ext4 /dev/mapper/one rw,errors=continue`;

test("a line of mountinfo is read whatever optional fields it has", () => {
  const [one, two] = parseMounts(`${line("/srv", "ro,nosuid")}\n1 0 0:21 / /run rw - tmpfs tmpfs rw\n`);
  const srv = {
    number: "252:3",
    root: "/sub",
    point: "/srv",
    access: "read-only",
    fsType: "ext4",
    source: "/dev/mapper/one",
  };
  assert.deepEqual(one, { ...srv, options: ["rw", "errors=continue"] });
  const run = { number: "0:21", root: "/", point: "/run", access: "read-write", fsType: "tmpfs", source: "tmpfs" };
  assert.deepEqual(two, { ...run, options: ["rw"] });
});

test("escaped characters of a path are read as they are, and so are all others", () => {
  const points = ["/a\\040b\\011c", "/back\\134slash\\043", "/Büro/\u65e5\u672c"].map(
    (point) => parseMounts(line(point))[0]?.point,
  );
  assert.deepEqual(points, ["/a b\tc", "/back\\slash#", "/Büro/\u65e5\u672c"]);
});

test("the mounts of this process have a root", () => {
  assert.ok(readMounts().some(({ point }) => point === "/"));
});

function answering(exitCode: number, stderr = ""): { calls: string[]; exec: () => Promise<ExecResult> } {
  const calls: string[] = [];
  const exec = (program: string, args: readonly string[]): Promise<ExecResult> => {
    calls.push([program, ...args].join(" "));
    return Promise.resolve({ exitCode, stdout: "", stderr } as ExecResult);
  };
  return { calls, exec: exec as () => Promise<ExecResult> };
}

test("nothing is mounted with the privileges of programs or devices, and XFS beside its original", async () => {
  const ctx = answering(0);
  await mount("/from", "/to", { options: ["bind", "ro"] }, ctx);
  await mountSnapshot("/dev/dm-3", "/to", { fsType: "xfs", access: "read-write" }, ctx);
  await mountSnapshot("/dev/dm-3", "/to", { fsType: "ext4", access: "read-only" }, ctx);
  await unmount("/to", ctx);
  assert.deepEqual(ctx.calls, [
    "mount -o nosuid,nodev,bind,ro -- /from /to",
    "mount -t xfs -o nosuid,nodev,rw,nouuid -- /dev/dm-3 /to",
    "mount -t ext4 -o nosuid,nodev,ro -- /dev/dm-3 /to",
    "umount -- /to",
  ]);
});

test("a mount that fails is MOUNT, and an unmount BUSY, with the message of the program", async () => {
  const ctx = answering(32, "target is busy.\n");
  await assert.rejects(mount("/from", "/to", { options: [] }, ctx), { code: "MOUNT", message: /target is busy/ });
  await assert.rejects(unmount("/to", ctx), { code: "BUSY", message: /target is busy/, hint: /fuser -vm \/to/ });
});
