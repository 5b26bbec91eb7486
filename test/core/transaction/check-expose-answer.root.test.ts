/** What a provider may show of a file system, and of a raw device. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import test from "node:test";
import { checkExposeAnswer } from "#core/transaction/check-expose-answer.js";
import type { Exposed, Volume } from "#core/base/schema/types.js";
import { tempDir } from "../../support/storage/temp.js";

const who = { role: "provider", instance: "store", plugin: "provider-that", version: "1.0.0" } as const;

function pointersOf(volume: Volume, exposed: Exposed): string[] {
  try {
    checkExposeAnswer(who, exposed, volume);
    return [];
  } catch (error) {
    const { details } = error as { details: { findings: { pointer: string }[] } };
    return details.findings.map(({ pointer }) => pointer);
  }
}

test("a file system is shown as trees of what was captured", () => {
  const files = { id: "8:1", mountPoint: "/srv", fsType: "ext4", source: "/dev/sda1", root: "/" };
  const volume: Volume = { kind: "filesystem", ...files, devices: [], paths: ["/srv/a"], exclude: [] };
  const tree = { original: "/srv/a", path: "/shown/a" };
  assert.deepEqual(pointersOf(volume, { trees: [tree], readOnly: true }), []);
  assert.deepEqual(pointersOf(volume, { trees: [], readOnly: true }), ["/trees"]);
  assert.deepEqual(pointersOf(volume, { trees: [{ ...tree, original: "/etc" }], readOnly: true }), [
    "/trees/0/original",
  ]);
  const devices = [{ original: "/srv/a", path: "/dev/null" }];
  assert.deepEqual(pointersOf(volume, { trees: [tree], devices, readOnly: true }), ["/devices"]);
});

test("a raw device is shown as another block device, and never as itself", (t) => {
  const [original, copy] = ["original", "copy"].map((name) => path.join(tempDir(t), name));
  if (original === undefined || copy === undefined) return;
  const made = [original, copy].map((file, at) => spawnSync("mknod", [file, "b", "259", String(4242 + at)]).status);
  if (made.some((status) => status !== 0)) return t.skip("making a device file needs root");
  const volume: Volume = { kind: "block", id: "259:4242", devices: [], paths: [original] };
  const shown = (node: string, of = original): Exposed => ({
    trees: [],
    devices: [{ original: of, path: node }],
    readOnly: true,
  });
  assert.deepEqual(pointersOf(volume, shown(copy)), []);
  assert.deepEqual(pointersOf(volume, shown(original)), ["/devices/0/path"]);
  assert.deepEqual(pointersOf(volume, shown("/dev/null")), ["/devices/0/path"]);
  assert.deepEqual(pointersOf(volume, shown(copy, "/dev/other")), ["/devices/0/original"]);
  assert.deepEqual(pointersOf(volume, { trees: [], readOnly: true }), ["/devices"]);
  const tree = { original, path: copy };
  assert.deepEqual(pointersOf(volume, { ...shown(copy), trees: [tree] }), ["/trees"]);
});
