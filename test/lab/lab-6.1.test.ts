/** The lab tests on Debian 12's kernel: those in which kernels differ, or with HOLDSTILL_LAB=1 all. */
import test from "node:test";
import { found, labMode } from "./found.js";
import { kernelTests, labTests } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests pass on kernel 6.1", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel !== undefined) await retell(t, kernel, labTests(labMode === "1" ? [] : kernelTests));
});
