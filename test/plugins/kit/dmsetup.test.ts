import assert from "node:assert/strict";
import test from "node:test";
import { dmsetup, formatTable, parseTable } from "#kit/dmsetup.js";
import { codeOf, messageOf, PluginError } from "#kit/plugin-error.js";
import { formatBytes, parseSize } from "#kit/size.js";
import type { ExecResult } from "holdstill/plugin";

const failing = (stderr: string) => ({
  exec: () => Promise.resolve({ exitCode: 1, stdout: "", stderr } as ExecResult),
});

test("a table is read and written as dmsetup has it, also with several targets and without parameters", () => {
  const text = "0 2048 linear 7:0 0\n2048 8 error\n";
  const table = parseTable(text);
  assert.deepEqual(table[0], { start: 0, length: 2048, type: "linear", params: "7:0 0" });
  assert.equal(formatTable(table), "0 2048 linear 7:0 0\n2048 8 error \n");
  assert.deepEqual(parseTable(""), []);
});

test("dmsetup that fails is DMSETUP_FAILED, or BUSY if the device is in use, with its message", async () => {
  await assert.rejects(dmsetup(failing("No such device"), ["remove", "one"]), {
    code: "DMSETUP_FAILED",
    message: "dmsetup remove one failed: No such device",
  });
  await assert.rejects(dmsetup(failing("ioctl failed: Device or resource busy"), ["remove", "one"]), { code: "BUSY" });
});

test("an error has code, message, hint, and on request details and a cause", () => {
  const cause = new Error("before");
  const error = new PluginError("CODE", "What happened.", "What to do.", { cause, details: { seen: 1 } });
  assert.deepEqual(
    [error.name, error.code, error.hint, error.details, error.cause],
    ["PluginError", "CODE", "What to do.", { seen: 1 }, cause],
  );
  assert.deepEqual(
    [codeOf(error), codeOf(cause), codeOf("text"), messageOf("text")],
    ["CODE", undefined, undefined, "text"],
  );
});

test("sizes are powers of 1024 or a share of the origin", () => {
  assert.deepEqual(
    ["1K", "3M", "2G", "1T", "25%ORIGIN"].map((size) => parseSize(size, 1000)),
    [1024, 3 * 2 ** 20, 2 ** 31, 2 ** 40, 250],
  );
  assert.deepEqual([0, 1023, 1536, 2 ** 50].map(formatBytes), ["0 B", "1023 B", "1.5 KiB", "1024.0 TiB"]);
});
