/** device-mapper's structures, byte by byte. */
import assert from "node:assert/strict";
import test from "node:test";
import * as dm from "#core/keeper/process/dm.js";

test("a suspend is a dm_ioctl of 312 bytes, version 4, with the flag and the device's number", () => {
  const { request, buffer } = dm.suspendDevice({ dev: 0xfd03n });
  assert.equal(request, 0xc138fd06);
  assert.equal(buffer.length, 312);
  assert.deepEqual([buffer.readUInt32LE(0), buffer.readUInt32LE(12), buffer.readUInt32LE(16)], [4, 312, 312]);
  assert.equal(buffer.readUInt32LE(28), 2);
  assert.equal(buffer.readBigUInt64LE(40), 0xfd03n);
  assert.equal(
    buffer.toString("utf8", 48, 176).replaceAll("\0", ""),
    "",
    "the kernel accepts a name or a number, not both",
  );
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

test("a message follows its sector and ends with a zero byte; a name that is too long is refused", () => {
  const { request, buffer } = dm.sendMessage({ name: "pool" }, "create_snap 2 1", 5);
  assert.equal(request, 0xc138fd0e);
  assert.equal(buffer.readBigUInt64LE(312), 5n);
  assert.equal(buffer.toString("utf8", 320, 336), "create_snap 2 1\0");
  assert.throws(() => dm.deviceStatus({ name: "x".repeat(128) }), RangeError);
});
