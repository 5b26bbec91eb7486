import type { TestContext } from "node:test";
import { KernelFailed } from "./guest.js";

/** So begins what a test tells of a guest whose kernel failed: test/run.ts counts these. */
export const kernelFailure = "the kernel of a guest failed";

/** Tells in the report of the test that a guest's kernel failed, and with which work. */
export function tellFailure(t: TestContext, work: string, why: string): void {
  t.diagnostic(`${kernelFailure}: ${work}: ${why}`);
}

/**
 * Does a job with guests, and once more when the kernel of one fails that is not meant to: that says nothing about what is
 * tested. `isMeant`: whether the job expects this failure.
 */
export async function onceMore<T>(
  t: TestContext,
  job: () => Promise<T>,
  isMeant: (failure: KernelFailed) => boolean = () => false,
): Promise<T> {
  try {
    return await job();
  } catch (error) {
    if (!(error instanceof KernelFailed) || isMeant(error)) throw error;
    tellFailure(t, t.name, error.message);
    return await job();
  }
}
