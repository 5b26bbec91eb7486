import assert from "node:assert/strict";
import test from "node:test";
import { assertSpace, spaceFor } from "@holdstill/provider-dmsnap/dist/size.js";

const [MiB, GiB] = [1024 ** 2, 1024 ** 3];

test("the space for a snapshot is as the config says, in whole MiB, and no more than the origin can need", () => {
  assert.equal(spaceFor("20%ORIGIN", 10 * GiB), 2 * GiB);
  assert.equal(spaceFor("1%ORIGIN", 50 * MiB), MiB);
  assert.equal(spaceFor("512M", 10 * GiB), 512 * MiB);
  assert.equal(spaceFor("10G", GiB), GiB + 5 * MiB);
  assert.equal(spaceFor("300%ORIGIN", GiB), GiB + 5 * MiB);
});

test("auto is a fifth of the origin, and 64 MiB at least where the origin can need as much", () => {
  assert.equal(spaceFor("auto", 10 * GiB), 2 * GiB);
  assert.equal(spaceFor("auto", 100 * MiB), 64 * MiB);
  assert.equal(spaceFor("auto", 20 * MiB), 22 * MiB);
});

test("too little space is refused with figures", () => {
  assertSpace(GiB, GiB, "/store");
  assert.throws(() => assertSpace(2 * GiB, GiB, "/store"), {
    code: "NO_SPACE",
    message: "The snapshots need 2.0 GiB in /store; 1.0 GiB are free there.",
  });
});
