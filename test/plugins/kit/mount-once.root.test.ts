/** A snapshot is opened once before it is promised: it mounts, and has what was planned. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { mountOnce } from "#kit/mount-once.js";
import { probeContext } from "../../support/fixture/context.js";
import { makeFs, mountImage } from "../../support/storage/loop-device.js";
import { tempDir } from "../../support/storage/temp.js";

const MiB = 1024 * 1024;

/** What is said of an image that `make` has furnished. */
async function verdictOn(t: TestContext, inner: string, make: (root: string) => void): Promise<string> {
  const dir = tempDir(t);
  const image = path.join(dir, "image");
  makeFs("ext4", image, 16 * MiB);
  const { point, end } = mountImage(t, image, path.join(dir, "mounted"));
  make(point);
  end();
  const { ctx } = probeContext({}, path.join(dir, "data"));
  const captured = [{ original: `/srv${inner}`, inner }];
  const verdict = await mountOnce(image, "ext4", captured, "one", ctx).then(
    () => "whole",
    ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
  );
  assert.deepEqual(readdirSync(path.join(dir, "data")), [], "nothing is left mounted");
  return verdict;
}

function makeApp(root: string): void {
  mkdirSync(path.join(root, "app/data"), { recursive: true });
  writeFileSync(path.join(root, "app/data/file"), "");
}
const makeLink = (root: string): void => symlinkSync("/etc", path.join(root, "app"));
const removeFolder = (root: string): void => rmSync(path.join(root, "lost+found"), { recursive: true });

test("a snapshot is whole if each captured path is in it, as a file or a folder of any user", async (t) => {
  for (const inner of ["/", "/app/data", "/app/data/file"]) assert.equal(await verdictOn(t, inner, makeApp), "whole");
});

test("a captured path that is a link at the cut, is below one, or is gone, is not what was planned", async (t) => {
  assert.equal(
    await verdictOn(t, "/app", makeLink),
    "TARGET_CHANGED: In the snapshot, /srv/app is not what was planned: it is a link.",
  );
  assert.match(await verdictOn(t, "/app/data", makeLink), /^TARGET_CHANGED: .* or a part of the path is a link/);
  assert.match(await verdictOn(t, "/lost+found", removeFolder), /^TARGET_CHANGED: .* does not exist there/);
});

test("what cannot be mounted is an error of the mount", async (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "image"), Buffer.alloc(MiB));
  const { ctx } = probeContext({}, dir);
  await assert.rejects(mountOnce(path.join(dir, "image"), "ext4", [], "one", ctx), { code: "MOUNT" });
});
