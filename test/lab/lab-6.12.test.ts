/** The lab tests on Debian 13's kernel: those in which it differs from Debian 12's, or with HOLDSTILL_LAB=1 all. */
import test from "node:test";
import { found, labMode } from "./found.js";
import { labTests, runInGuest } from "./guest.js";
import { retell } from "./retell.js";

/** Freezing may be nested from 6.8 on; the rest is what both providers and the keeper ask of any kernel. */
const parts = ["kernel.lab", "dm.lab", "keeper.lab", "lvm.lab", "provider-dmsnap.lab", "provider-dmsnap-instant"];

test("the lab tests pass on kernel 6.12", async (t) => {
  const kernel = await found(t, "6.12");
  if (kernel !== undefined) await retell(t, runInGuest(kernel, labTests(labMode === "1" ? [] : parts)));
});
