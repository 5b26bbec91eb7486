import assert from "node:assert/strict";
import test from "node:test";
import { age, bytes, count, duration, instant } from "#core/base/display/units.js";

test("a duration has the unit in which it is short, and rounds into the next one", () => {
  const shown: [number, string][] = [
    [0, "0 ms"],
    [8.24, "8.2 ms"],
    [9.949, "9.9 ms"],
    [9.95, "10 ms"],
    [999.4, "999 ms"],
    [999.5, "1 s"],
    [12_340, "12.3 s"],
    [99_949, "99.9 s"],
    [99_950, "2 min"],
    [59 * 60_000, "59 min"],
    [60 * 60_000, "1 h"],
    [65 * 60_000, "1 h 5 min"],
  ];
  for (const [ms, text] of shown) assert.equal(duration(ms), text, `${ms}`);
});

test("sizes are in powers of 1024, up to TiB", () => {
  const shown: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536 * 1024, "1.5 MiB"],
    [5 * 1024 ** 5, "5120.0 TiB"],
  ];
  for (const [size, text] of shown) assert.equal(bytes(size), text);
});

test("an age never is negative, and is in days from the second day on", () => {
  const shown: [number, string][] = [
    [-5, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_600_000, "1 h"],
    [47 * 3_600_000, "47 h"],
    [48 * 3_600_000, "2 d"],
  ];
  for (const [ms, text] of shown) assert.equal(age(ms), text);
});

test("an instant is shown in UTC without its fraction, and one thing has no plural", () => {
  assert.equal(instant("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05Z");
  assert.deepEqual([count(0, "set"), count(1, "set"), count(2, "set")], ["0 sets", "1 set", "2 sets"]);
});
