/** The kernel's interface to device-mapper, called by number as the keeper does, with dmsetup as the witness. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onEnd } from "../../support/process/on-end.js";
import { run } from "../support/volume-group.js";

/** _IOWR(0xfd, NUMBER, struct dm_ioctl), include/uapi/linux/dm-ioctl.h. The struct has 312 bytes. */
const structSize = 312;
const number = { version: 0xc138fd00, suspend: 0xc138fd06, status: 0xc138fd07 } as const;
const suspendFlag = 2;

test("the kernel takes struct dm_ioctl with version 4.0.0 and answers with its own", () => {
  const answer = ioctl(number.version, "", 0);
  assert.equal(answer.readUInt32LE(0), 4);
  const [, driver] = /Driver version: +(\S+)/.exec(run("dmsetup", ["version"])) ?? [];
  assert.equal(`4.${answer.readUInt32LE(4)}.${answer.readUInt32LE(8)}`, driver);
});

test("DM_DEV_SUSPEND with flag 2 suspends a device, and without it resumes it", (t) => {
  const name = linear(t);
  const state = (): string => run("dmsetup", ["info", "-c", "--noheadings", "-o", "suspended", name]).trim();
  assert.equal(state(), "Active");
  ioctl(number.suspend, name, suspendFlag);
  assert.equal(state(), "Suspended");
  assert.equal(ioctl(number.status, name, 0).readUInt32LE(28) & suspendFlag, suspendFlag);
  ioctl(number.suspend, name, 0);
  assert.equal(state(), "Active");
});

test("a write to a suspended device waits for the resume", async (t) => {
  const name = linear(t);
  ioctl(number.suspend, name, suspendFlag);
  const writer = spawn("dd", ["if=/dev/zero", `of=/dev/mapper/${name}`, "bs=4k", "count=1", "oflag=direct"]);
  const ended = once(writer, "exit");
  assert.equal(await Promise.race([ended.then(() => "written"), sleep(1000, "waits")]), "waits");
  ioctl(number.suspend, name, 0);
  assert.deepEqual(await ended, [0, null]);
});

/** A device that maps a disk of the guest. */
function linear(t: TestContext): string {
  const name = `linear${process.pid}`;
  run("dmsetup", ["create", name, "--table", "0 20480 linear /dev/ubda 0"]);
  onEnd(t, () => {
    run("dmsetup", ["resume", name]);
    run("dmsetup", ["remove", name]);
  });
  return name;
}

/** One call on /dev/mapper/control by perl, which every Debian has: both sizes at byte 12 and 16, flags at 28, the name at 48. */
function ioctl(request: number, name: string, flags: number): Buffer {
  const program = `
    open(my $control, "+<", "/dev/mapper/control") or die "open: $!";
    my $dm = pack("H*", $ARGV[1]);
    ioctl($control, $ARGV[0], $dm) or die "ioctl: $!";
    print unpack("H*", $dm);`;
  const struct = Buffer.alloc(structSize);
  struct.writeUInt32LE(4, 0);
  struct.writeUInt32LE(structSize, 12);
  struct.writeUInt32LE(structSize, 16);
  struct.writeUInt32LE(flags, 28);
  struct.write(name, 48);
  return Buffer.from(run("perl", ["-e", program, `${request}`, struct.toString("hex")]), "hex");
}
