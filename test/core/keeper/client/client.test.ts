/** The keeper's data: device-mapper's structures byte by byte, its wire, and how it is started. */
import assert from "node:assert/strict";
import test from "node:test";
import * as dm from "#core/keeper/process/dm.js";
import { waysToStart } from "#core/keeper/client/spawn.js";
import { fileMappings } from "#core/keeper/process/hardening.js";
import { lapseError, type SectionReport } from "#core/keeper/client/client.js";
import { holdError } from "#core/keeper/client/outcome.js";
import { decoder, encode, type ArmTarget } from "#core/keeper/wire.js";

test("a suspend is a dm_ioctl of 312 bytes, version 4, with the flag and the device's number", () => {
  const { request, buffer } = dm.suspendDevice({ dev: 0xfd03n });
  assert.equal(request, 0xc138fd06);
  assert.equal(buffer.length, 312);
  assert.deepEqual([buffer.readUInt32LE(0), buffer.readUInt32LE(12), buffer.readUInt32LE(16)], [4, 312, 312]);
  assert.equal(buffer.readUInt32LE(28), 2);
  assert.equal(buffer.readBigUInt64LE(40), 0xfd03n);
  assert.equal(buffer.toString("utf8", 48, 176).replaceAll("\0", ""), "", "a name and a number are one too many");
  assert.equal(dm.isSuspended({ request, buffer }), true);
  assert.equal(dm.isSuspended(dm.resumeDevice({ dev: 1n })), false);
});

test("a table's targets are chained by offsets in steps of eight bytes", () => {
  const { buffer } = dm.loadTable({ name: "vg-lv" }, [
    { start: 0, length: 8, type: "linear", params: "8:1 0" },
    { start: 8, length: 16, type: "snapshot-origin", params: "253:7" },
  ]);
  assert.equal(buffer.toString("utf8", 48, 53), "vg-lv");
  assert.equal(buffer.readUInt32LE(20), 2);
  const next = buffer.readUInt32LE(312 + 20);
  assert.equal(next, 48);
  assert.equal(buffer.toString("utf8", 312 + 40, 312 + 46), "8:1 0\0");
  assert.equal(buffer.readBigUInt64LE(312 + next), 8n);
  assert.equal(buffer.toString("utf8", 312 + next + 24, 312 + next + 39), "snapshot-origin");
});

test("a message comes after its sector and ends with a zero; what is too long is refused", () => {
  const { request, buffer } = dm.sendMessage({ name: "pool" }, "create_snap 2 1", 5);
  assert.equal(request, 0xc138fd0e);
  assert.equal(buffer.readBigUInt64LE(312), 5n);
  assert.equal(buffer.toString("utf8", 320, 336), "create_snap 2 1\0");
  assert.throws(() => dm.deviceStatus({ name: "x".repeat(128) }), RangeError);
});

test("messages are found however the stream is cut", () => {
  const heard: unknown[] = [];
  const hear = decoder((message) => heard.push(message));
  const text = encode({ say: "hold", limitMs: 10 }) + encode({ say: "beat" });
  for (const character of text) hear(character);
  assert.deepEqual(heard, [{ say: "hold", limitMs: 10 }, { say: "beat" }]);
});

test("only readable mappings of files are locked, also of those with spaces in their names", () => {
  const maps = [
    "5583a000-5583b000 r-xp 00001000 fe:00 42                         /usr/bin/node",
    "5583b000-5583c000 r--p 00002000 fe:00 43                         /opt/with space/lib.so",
    "7f0000000000-7f0000001000 ---p 00000000 fe:00 44                 /usr/lib/libc.so.6",
    "7f0000001000-7f0000002000 rw-p 00000000 00:00 0",
    "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                  [stack]",
  ].join("\n");
  assert.deepEqual(fileMappings(maps), [
    { address: 0x5583a000n, length: 0x1000, file: "/usr/bin/node" },
    { address: 0x5583b000n, length: 0x1000, file: "/opt/with space/lib.so" },
  ]);
});

test("where systemd runs, the keeper starts in a scope of its own, and else, or if that fails, directly", () => {
  const [scope, direct, ...others] = waysToStart(true);
  assert.deepEqual(scope?.slice(0, 2), ["systemd-run", "--scope"]);
  assert.deepEqual(scope?.slice(-(direct?.length ?? 0)), direct);
  assert.deepEqual(others, []);
  assert.equal(waysToStart(false).length, 1);
});

const station: ArmTarget = { target: { kind: "fs", mount: "/srv" }, identity: null, rank: 0 };
const report: SectionReport = { by: "ioctl", targets: [], heldMs: 1, reason: "failed" };

const messageOf = (failure: Parameters<typeof holdError>[0]["failure"], missing: number[] = []): string =>
  holdError({ say: "over", report, failure, missing, unanswered: [] }, [station], { limitMs: 1000 }).message;

test("a failed section is an error that names its culprit", () => {
  assert.match(messageOf({ is: "busy", station: 0 }), /^\/srv is already frozen or suspended by another process/);
  assert.match(messageOf({ is: "refused", station: 0, reason: "EIO" }), /at \/srv: EIO/);
  assert.match(messageOf({ is: "op", name: "dm-load x", reason: "EINVAL" }), /at dm-load x: EINVAL/);
  assert.match(messageOf({ is: "fault", reason: "it ended" }), /it ended/);
  assert.match(messageOf(null, [0]), /^\/srv could not be held within 1.0 s/);
});

test("a report without the core's word, or with a hold that was lost, is a lapse", () => {
  const point = { target: station.target, heldAt: 1, releasedAt: 2, inForce: true };
  assert.equal(lapseError({ ...report, targets: [point], reason: "word" }), null);
  assert.match(lapseError({ ...report, targets: [point], reason: "silence" })?.message ?? "", /heard nothing/);
  const lost = { ...point, inForce: false, problem: "somebody released it" };
  assert.match(lapseError({ ...report, targets: [lost], reason: "word" })?.message ?? "", /somebody released it/);
});
