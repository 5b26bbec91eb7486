import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { LabEvent } from "./events.js";
import { KernelFailed } from "./guest.js";

/** Tells each test of a guest as a subtest. One whose kernel failed is booted once more, and tells all again. */
export async function retell(t: TestContext, boot: () => AsyncGenerator<LabEvent, void>): Promise<void> {
  try {
    await tell(t, boot());
  } catch (error) {
    if (!(error instanceof KernelFailed)) throw error;
    t.diagnostic(`booted again, since ${error.message}`);
    await tell(t, boot());
  }
}

async function tell(t: TestContext, events: AsyncGenerator<LabEvent, void>): Promise<void> {
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
      case "booted":
      case "measured":
      case "done":
    }
  }
}
