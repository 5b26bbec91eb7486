import assert from "node:assert/strict";
import test from "node:test";
import { captures } from "#core/plan/match.js";
import type { PluginManifest, Volume } from "#core/base/schema/types.js";
import { plannedVolume } from "../../support/fixture/planned-volume.js";

const manifest: PluginManifest = {
  manifestVersion: 1,
  name: "provider-old",
  version: "1.0.0",
  kind: "provider",
  protocol: [1],
  engines: { holdstill: "*" },
  main: "./index.js",
};
const { volume: files } = plannedVolume("8:1", "old", true);
const { kind: _, ...recorded } = { kind: undefined, ...files };
const raw: Volume = { kind: "block", id: "8:2", devices: [], paths: ["/dev/sdb"] };

/** Of a file system, of one as an earlier version recorded it, and of a raw device. */
const met = (volumes?: PluginManifest["volumes"]): boolean[] =>
  [files, recorded, raw].map((volume) => captures(volumes === undefined ? manifest : { ...manifest, volumes }, volume));

test("a provider meets a raw device only if its manifest names these, and file systems unless it names only others", () => {
  assert.deepEqual(met(), [true, true, false]);
  assert.deepEqual(met(["filesystem", "block"]), [true, true, true]);
  assert.deepEqual(met(["block"]), [false, false, true]);
});
