import type { TestContext } from "node:test";
import { GuestFailed, runInGuest } from "./guest.js";
import { findKernel, NoKernel, type Kernel } from "./kernels.js";

const inCI = process.env["CI"] === "true";
/** 0: no kernels are booted. 1: all lab tests on all kernels. Not given: what CI runs. */
export const labMode = process.env["HOLDSTILL_LAB"] ?? "";

/**
 * 6.1 is what test:setup installs. Others come from a mirror, which CI asks and nobody else's test run does: there `npm run lab --
 * --kernel 6.12` fetches it.
 */
const mustBeThere = (name: string): boolean => inCI && name === "6.1";

const boots = new Map<string, Promise<string | null>>();

/** The kernel, if it is there and runs on this machine; else the test is skipped, with the reason. */
export async function found(t: TestContext, name: string): Promise<Kernel | undefined> {
  if (labMode === "0") {
    t.skip("HOLDSTILL_LAB=0");
    return undefined;
  }
  try {
    const kernel = findKernel(name, inCI ? "if-missing" : "never");
    boots.set(name, boots.get(name) ?? obstacleTo(kernel));
    const obstacle = await boots.get(name);
    if (obstacle === null) return kernel;
    t.skip(`kernel ${name} does not run on this machine: ${obstacle}`);
  } catch (error) {
    if (!(error instanceof NoKernel) || mustBeThere(name)) throw error;
    t.skip(error.message);
  }
  return undefined;
}

/** Why it does not come up, with the end of its console; null: it does. */
async function obstacleTo(kernel: Kernel): Promise<string | null> {
  try {
    for await (const _ of runInGuest(kernel, [], { fileSeconds: 1, silenceSeconds: 120 }));
    return null;
  } catch (error) {
    if (error instanceof GuestFailed) return error.message;
    throw error;
  }
}
