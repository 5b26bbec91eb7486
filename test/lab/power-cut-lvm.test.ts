/** A machine whose power is cut in the middle of provider-lvm's transactions, and what the next one finds on the same disks. */
import assert from "node:assert/strict";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { tempDir } from "../support/storage/temp.js";
import { found, foundNewest, labMode } from "./found.js";
import { runInGuest } from "./guest.js";
import { onceMore } from "./kernel-failure.js";
import { kernelNames, type Kernel } from "./kernels.js";

const fixture = (name: string): string => path.join(import.meta.dirname, "fixtures", `${name}.js`);

for (const name of labMode === "1" ? kernelNames : ["newest"]) {
  test(`after a power cut provider-lvm undoes what was begun and keeps what was sealed, on kernel ${name}`, async (t) => {
    const kernel = name === "newest" ? await foundNewest(t) : await found(t, name);
    if (kernel === undefined) return;
    const outcomes = await onceMore(t, async () => await cutAndStart(t, kernel));
    assert.deepEqual(outcomes, ["booted", "passed", "ended", "done"]);
  });
}

/** Cuts the power of one guest, and answers what the next one tells of the same disks. */
async function cutAndStart(t: TestContext, kernel: Kernel): Promise<string[]> {
  const disks = tempDir(t);
  let isReady = false;
  for await (const event of runInGuest(kernel, [fixture("lvm-before-power-cut")], undefined, disks)) {
    if (event.event === "failed") assert.fail(event.detail);
    isReady ||= event.event === "passed";
    // To leave the loop kills the machine.
    if (isReady) break;
  }
  assert.ok(isReady, "the first machine did not come so far");
  const outcomes: string[] = [];
  for await (const event of runInGuest(kernel, [fixture("lvm-after-power-cut")], undefined, disks)) {
    if (event.event === "failed") assert.fail(event.detail);
    outcomes.push(event.event);
  }
  return outcomes;
}
