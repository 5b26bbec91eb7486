/** The machine loses its power in the midst of transactions, and is started anew on the same disks. */
import assert from "node:assert/strict";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tempDir } from "../support/storage/temp.js";
import { found, foundNewest, labMode } from "./found.js";
import { runInGuest } from "./guest.js";
import { onceMore } from "./kernel-failure.js";
import { kernelNames, type Kernel } from "./kernels.js";

const fixture = (name: string): string => path.join(import.meta.dirname, `fixtures/${name}.js`);

for (const name of labMode === "1" ? kernelNames : ["newest"]) {
  test(`after a power cut recover leaves nothing of the transaction under way, and a persistent snapshot is whole, on kernel ${name}`, async (t) => {
    const kernel = name === "newest" ? await foundNewest(t) : await found(t, name);
    if (kernel === undefined) return;
    const told = await onceMore(t, async () => await cutAndStart(t, kernel));
    assert.deepEqual(told, ["passed nothing is left of what was under way, and the kept set is whole "]);
  });
}

/** Cuts the power of one guest, and answers what the next one tells of the same disks. */
async function cutAndStart(t: TestContext, kernel: Kernel): Promise<string[]> {
  const disks = tempDir(t);
  for await (const event of runInGuest(kernel, [fixture("power-cut-before")], undefined, disks)) {
    assert.notEqual(event.event, "failed", JSON.stringify(event));
    // Somewhere in a transaction of the loop that follows. To leave this loop kills the kernel.
    if (event.event !== "passed") continue;
    await sleep(9000);
    break;
  }
  const told: string[] = [];
  for await (const event of runInGuest(kernel, [fixture("power-cut-after")], undefined, disks)) {
    if ("detail" in event) told.push(`${event.event} ${event.name} ${event.detail}`);
  }
  return told;
}
