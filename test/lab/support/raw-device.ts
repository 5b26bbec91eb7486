import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { ExposedDevice, SnapshotSet } from "holdstill/plugin";
import { counterFile } from "../../support/storage/counter-block.js";
import { tempDir } from "../../support/storage/temp.js";
import { run } from "./volume-group.js";

/** A group that may read the raw devices of these tests. */
const GROUP = 6;

/** Fills a device with what no other device has, and answers a file with a copy of it. */
export function fill(t: TestContext, device: string): string {
  const copy = path.join(tempDir(t), "contents");
  run("dd", ["if=/dev/urandom", `of=${copy}`, "bs=1M", `count=${megabytes(device)}`, "status=none"]);
  run("dd", [`if=${copy}`, `of=${device}`, "bs=1M", "oflag=direct", "status=none"]);
  chownSync(device, 0, GROUP);
  chmodSync(device, 0o660);
  return copy;
}

export function wipe(device: string): void {
  const count = `count=${megabytes(device)}`;
  run("dd", ["if=/dev/zero", `of=${device}`, "bs=1M", "oflag=direct", count, "status=none"]);
}

const megabytes = (device: string): number => Number(run("blockdev", ["--getsize64", device]).trim()) / 2 ** 20;

/** Throws unless the device has these contents. */
export const compare = (device: string, contents: string): string => run("cmp", [device, contents]);

/** The snapshot of a device in a set that is exposed: read-only, and for the group of the original. */
export function exposedIn({ exposed = [] }: SnapshotSet, original: string): ExposedDevice {
  const devices = exposed.flatMap((one) => one.exposed.devices ?? []);
  const found = devices.find((one) => one.original === original) ?? assert.fail(JSON.stringify(exposed));
  const { mode, uid, gid } = statSync(found.path);
  assert.deepEqual([mode & 0o777, uid, gid], [0o440, 0, GROUP]);
  assert.equal(run("blockdev", ["--getro", found.path]).trim(), "1");
  assert.match(found.path, /^\/dev\/mapper\//, "a name that no other device gets at a later boot");
  return found;
}

/** A folder in which a counter writes to a device. */
export function counterOn(t: TestContext, device: string): string {
  const folder = path.join(tempDir(t), "counted");
  mkdirSync(folder);
  symlinkSync(device, path.join(folder, counterFile));
  return folder;
}
