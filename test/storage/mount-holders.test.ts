/** What other mount namespaces do to the mounts of tests, and who is named when they keep one. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { isInOwnNamespace } from "../support/process/own-namespace.js";
import { loopFs } from "../support/storage/loop-device.js";
import { onEnd } from "../support/process/on-end.js";
import { holdersOf } from "../support/storage/mount-holders.js";

/** A process with copies of all mounts that there are now. */
async function copier(t: TestContext, propagation: "private" | "slave"): Promise<number | undefined> {
  const args = ["--mount", "--propagation", propagation, "--", "sh", "-c", "echo; exec sleep 1000"];
  const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
  onEnd(t, async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  await once(child.stdout, "data");
  return child.pid;
}

test("a process that keeps a copy of a mount is named, and one with a file of it open", async (t) => {
  const point = loopFs(t, "ext4");
  if (point === null) return;
  const pid = await copier(t, "private");
  assert.deepEqual(holdersOf(point), [`process ${pid} (sleep 1000) has ${point} mounted in its namespace`]);
  const reader = spawn("sleep", ["1000"], { cwd: point, stdio: "ignore" });
  onEnd(t, async () => {
    reader.kill("SIGKILL");
    await once(reader, "exit");
  });
  await once(reader, "spawn");
  assert.ok(holdersOf(point).includes(`process ${reader.pid} (sleep 1000) has ${point} open`));
});

test("in a test run, what is unmounted is unmounted in namespaces that were made meanwhile", async (t) => {
  if (!isInOwnNamespace()) return t.skip("this is no test run with a mount namespace of its own");
  const point = loopFs(t, "ext4");
  if (point === null) return;
  await copier(t, "slave");
  const image = path.join(path.dirname(point), "image");
  const loops = (): string => execFileSync("losetup", ["--associated", image], { encoding: "utf8" });
  assert.notEqual(loops(), "");
  execFileSync("umount", [point]);
  assert.deepEqual([loops(), holdersOf(point)], ["", []]);
  execFileSync("mount", ["-o", "loop", image, point]);
});
