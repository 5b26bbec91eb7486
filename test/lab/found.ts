import type { TestContext } from "node:test";
import { GuestFailed, runInGuest } from "./guest.js";
import { findKernel, kernelNames, NoKernel, type Kernel } from "./kernels.js";

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
  const kernel = await lookFor(name);
  if (typeof kernel !== "string") return kernel;
  t.skip(kernel);
  return undefined;
}

/** The newest that is there and runs on this machine, as `found` finds it: the newer, the faster. */
export async function foundNewest(t: TestContext): Promise<Kernel | undefined> {
  for (const name of kernelNames.toReversed()) {
    const kernel = await lookFor(name);
    if (typeof kernel !== "string") return kernel;
    t.diagnostic(kernel);
  }
  t.skip("no kernel");
  return undefined;
}

/** Or why there is none. */
async function lookFor(name: string): Promise<Kernel | string> {
  if (labMode === "0") return "HOLDSTILL_LAB=0";
  try {
    const kernel = findKernel(name, inCI ? "if-missing" : "never");
    boots.set(name, boots.get(name) ?? obstacleTo(kernel));
    const obstacle = await boots.get(name);
    return obstacle === null ? kernel : `kernel ${name} does not run on this machine: ${obstacle}`;
  } catch (error) {
    if (!(error instanceof NoKernel) || mustBeThere(name)) throw error;
    return error.message;
  }
}

/** Why it does not come up, also when it is tried once more, with the end of its console; null: it does. */
async function obstacleTo(kernel: Kernel): Promise<string | null> {
  let obstacle = "";
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      for await (const _ of runInGuest(kernel, []));
      return null;
    } catch (error) {
      if (!(error instanceof GuestFailed)) throw error;
      obstacle = error.message;
    }
  }
  return obstacle;
}
