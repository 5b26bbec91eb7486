/** The machine loses its power in the midst of transactions, and is started anew on the same disks. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tempDir } from "../support/storage/temp.js";
import { found, labMode } from "./found.js";
import { runInGuest } from "./guest.js";

const limits = { fileSeconds: 600, silenceSeconds: 630 };
const fixture = (name: string): string => path.join(import.meta.dirname, `fixtures/${name}.js`);

for (const name of ["6.1", ...(labMode === "1" ? ["7.2"] : [])]) {
  test(`after a power cut recover leaves nothing of the transaction under way, and a persistent snapshot is whole, on kernel ${name}`, async (t) => {
    const kernel = await found(t, name);
    if (kernel === undefined) return;
    const disks = tempDir(t);
    for await (const event of runInGuest(kernel, [fixture("power-cut-before")], limits, disks)) {
      assert.notEqual(event.event, "failed", JSON.stringify(event));
      // Somewhere in a transaction of the loop that follows. To leave this loop kills the kernel.
      if (event.event !== "passed") continue;
      await sleep(9000);
      break;
    }
    const told: string[] = [];
    for await (const event of runInGuest(kernel, [fixture("power-cut-after")], limits, disks)) {
      if ("detail" in event) told.push(`${event.event} ${event.name} ${event.detail}`);
    }
    assert.deepEqual(told, ["passed nothing is left of what was under way, and the kept set is whole "]);
  });
}
