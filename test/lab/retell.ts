import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type KernelFailure, runInGuests } from "./batches.js";
import type { LabEvent } from "./events.js";
import { labMode } from "./found.js";
import { runInGuest } from "./guest.js";
import { tellFailure } from "./kernel-failure.js";
import type { Kernel } from "./kernels.js";

/** Runs test files in guests, and tells each of their tests as a subtest. Without HOLDSTILL_LAB=1, the longest tests are left out. */
export async function retell(t: TestContext, kernel: Kernel, files: readonly string[]): Promise<void> {
  const variables = { HOLDSTILL_LAB_BRIEF: labMode === "1" ? "no" : "yes" };
  await tell(
    t,
    runInGuests(files, (some) => runInGuest(kernel, some, undefined, undefined, variables)),
  );
}

async function tell(t: TestContext, events: AsyncGenerator<LabEvent | KernelFailure, void>): Promise<void> {
  for await (const event of events) {
    switch (event.event) {
      case "passed":
      case "failed":
      case "skipped":
        await t.test(event.name, (subtest) => {
          subtest.diagnostic(`${Math.round(event.durationMs)} ms in the guest`);
          if (event.event === "failed") assert.fail(event.detail);
          if (event.event === "skipped") subtest.skip(event.detail);
        });
        break;
      case "told":
        t.diagnostic(event.text);
        break;
      case "ended":
        if (event.code === 0) break;
        await t.test(`${event.file} ends well`, () => assert.fail(event.why));
        break;
      case "kernel failed":
        tellFailure(t, event.file, event.why);
        break;
      case "booted":
      case "measured":
      case "done":
    }
  }
}
