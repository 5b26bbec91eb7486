import type { TestContext } from "node:test";
import { findKernel, NoKernel, type Kernel } from "./kernels.js";

export const inCI = process.env["CI"] === "true";

export function found(
  t: TestContext,
  name: string,
  fetch: "if-missing" | "never",
  mustBeThere: boolean,
): Kernel | undefined {
  if (process.env["HOLDSTILL_LAB"] !== "1") {
    t.skip("boots kernels for minutes: HOLDSTILL_LAB=1 npm test, or npm run lab");
    return undefined;
  }
  try {
    return findKernel(name, fetch);
  } catch (error) {
    if (!(error instanceof NoKernel) || (inCI && mustBeThere)) throw error;
    t.skip(error.message);
    return undefined;
  }
}
