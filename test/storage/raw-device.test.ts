/** A block device that is not mounted, as a target. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Fault } from "#core/base/schema/types.js";
import { locate } from "#core/plan/locate.js";
import { parseTarget } from "#core/plan/targets.js";
import { Scene } from "../support/fixture/scene.js";
import { onEnd } from "../support/process/on-end.js";
import { loopFs } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

test("two names of a raw device are one volume, with the device first and one path", (t) => {
  const device = loopDevice(t);
  if (device === null) return;
  const link = path.join(tempDir(t), "link");
  symlinkSync(device, link);
  const { volumes, places, nested } = locate([
    { paths: [device], exclude: [] },
    { paths: [link], exclude: [] },
  ]);
  const [volume] = volumes;
  assert.deepEqual([volumes.length, volume?.kind, volume?.paths, nested], [1, "block", [device], []]);
  assert.deepEqual([volume?.devices[0]?.kind, volume?.devices[0]?.number], ["loop", volume?.id]);
  assert.deepEqual(
    places.map(({ requested, original }) => [requested, original]),
    [
      [device, device],
      [link, device],
    ],
  );
});

test("a device with a mounted file system stands for its mount point, and is no raw device for a writer", (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const device = execFileSync("findmnt", ["-n", "-o", "SOURCE", fs], { encoding: "utf8" }).trim();
  assert.deepEqual(parseTarget(device, []), { is: "path", asked: device, path: fs });
  assert.throws(() => locate([{ paths: [device], exclude: [] }]), {
    code: "E_TARGET_UNREADABLE",
    details: { target: device, reason: `the file system at ${fs} is on it`, remedy: `Name what is on it: ${fs}.` },
  });
});

test("a provider whose manifest does not name raw devices is not asked for one", async (t) => {
  const device = loopDevice(t);
  if (device === null) return;
  const stage = new Scene(t);
  const ran = await stage.run(["create", device, "--json"]);
  assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr);
  const { error } = ran.json() as { error: Fault };
  assert.deepEqual([error.code, error.details?.["paths"], error.details?.["asked"]], ["E_NO_PROVIDER", [device], []]);
  assert.ok(!stage.calls("store").includes("match"));
});

/** null: this machine cannot make one. */
function loopDevice(t: TestContext): string | null {
  const image = path.join(tempDir(t), "image");
  writeFileSync(image, "");
  truncateSync(image, 8 * 2 ** 20);
  const made = spawnSync("losetup", ["--find", "--show", image], { encoding: "utf8" });
  if (made.status !== 0) {
    t.skip("making a loop device needs root");
    return null;
  }
  const device = made.stdout.trim();
  onEnd(t, () => void execFileSync("losetup", ["--detach", device]));
  return device;
}
