import assert from "node:assert/strict";
import test from "node:test";
import type { PluginError } from "@holdstill/provider-csi/dist/errors.js";
import { failureOf, leavesOpen } from "@holdstill/provider-csi/dist/failure.js";

const ofCode = (code: number): PluginError => failureOf("CreateSnapshot", { code, details: "why" }, "/run/csi.sock");

test("each status of gRPC is an error with its name, the driver's message, and a next step", () => {
  const codes = {
    1: "INTERRUPTED",
    2: "DRIVER_FAILED",
    3: "REFUSED",
    4: "TIMED_OUT",
    5: "NOT_FOUND",
    6: "NAME_TAKEN",
    7: "DENIED",
    8: "NO_SPACE",
    9: "REFUSED",
    10: "PENDING",
    11: "REFUSED",
    12: "UNSUPPORTED",
    13: "DRIVER_FAILED",
    14: "UNREACHABLE",
    15: "DRIVER_FAILED",
    16: "DENIED",
  };
  for (const [status, code] of Object.entries(codes)) {
    const error = ofCode(Number(status));
    assert.equal(error.code, code, status);
    assert.match(error.message, /CreateSnapshot.*: why$/);
    assert.match(error.message, /\/run\/csi\.sock/);
    assert.ok(error.hint.endsWith("."), error.hint);
  }
  assert.match(ofCode(8).message, /RESOURCE_EXHAUSTED/);
});

test("only a refusal proves that nothing was made", () => {
  const refusals = [3, 5, 6, 7, 8, 9, 11, 12, 16];
  for (let code = 1; code <= 16; code += 1) assert.equal(leavesOpen(ofCode(code)), !refusals.includes(code), `${code}`);
  assert.ok(leavesOpen(new Error("a bug")));
});
