/** All lab tests on Debian 13's kernel, with HOLDSTILL_LAB=1. What differs from 6.1 is the same on the newest kernel, which is faster. */
import test from "node:test";
import { found, labMode } from "./found.js";
import { labTests } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests pass on kernel 6.12", { skip: labMode !== "1" && "HOLDSTILL_LAB=1 boots it" }, async (t) => {
  const kernel = await found(t, "6.12");
  if (kernel !== undefined) await retell(t, kernel, labTests());
});
