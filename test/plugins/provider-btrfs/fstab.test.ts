/** Which lines of /etc/fstab mount a subvolume by its number, so that a revert would not reach it. */
import assert from "node:assert/strict";
import test from "node:test";
import { isMountedByNumber } from "@holdstill/provider-btrfs/dist/fstab.js";

const fs = { uuid: "00000000-1111-2222-3333-444444444444" };
const other = "99999999-8888-7777-6666-555555555555";

for (const [what, line, expected] of [
  ["its number", "/dev/sda1 /home btrfs noatime,subvolid=257 0 0", true],
  ["its number, by tabs and the UUID", `UUID=${fs.uuid.toUpperCase()}\t/home\tbtrfs\tsubvolid=257`, true],
  ["a quoted UUID", `  UUID="${fs.uuid}" /home btrfs subvolid=257,ro 0 0`, true],
  ["a longer number", "/dev/sda1 /home btrfs subvolid=2570 0 0", false],
  ["its path", "/dev/sda1 /home btrfs subvol=/257 0 0", false],
  ["the number on another file system", `UUID=${other} /home btrfs subvolid=257 0 0`, false],
  ["the number in a comment", "# /dev/sda1 /home btrfs subvolid=257 0 0", false],
  ["the number in a mount point", "/dev/sda1 /subvolid=257 btrfs defaults 0 0", false],
] as const)
  test(`a line with ${what} ${expected ? "counts" : "does not count"}`, () => {
    assert.equal(isMountedByNumber(`proc /proc proc defaults 0 0\n${line}\n`, 257, fs), expected);
  });
