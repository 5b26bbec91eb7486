/** That the laboratory is what was asked for. */
import assert from "node:assert/strict";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import test from "node:test";
import { sh } from "../../support/storage/tree.js";

test("the kernel is the one that was asked for", () => {
  assert.match(release(), new RegExp(`^${process.env["LAB_KERNEL"]?.replaceAll(".", "\\.")}\\.`));
  assert.match(readFileSync("/proc/cpuinfo", "utf8"), /User Mode Linux/);
});

test("the host's file system cannot be written to, and the folders for temporary files can", () => {
  assert.throws(() => accessSync("/", constants.W_OK), /EROFS/);
  for (const folder of ["/tmp", "/run", "/mnt", "/etc/lvm", "/dev/shm"]) accessSync(folder, constants.W_OK);
});

test("device-mapper has the targets snapshot, thin, thin-pool and delay", () => {
  const targets = sh("dmsetup targets", "/");
  for (const target of ["linear", "snapshot", "snapshot-origin", "thin", "thin-pool", "delay"]) {
    assert.match(targets, new RegExp(`^${target} `, "m"));
  }
});

test("there are four empty disks and loop devices", () => {
  for (const disk of ["ubda", "ubdb", "ubdc", "ubdd"]) assert.equal(sh(`blkid -p /dev/${disk} || true`, "/"), "");
  assert.ok(existsSync("/dev/loop-control"));
});
