/** All other lab tests, on Debian 12's kernel. */
import test from "node:test";
import { found } from "./found.js";
import { labTests, lvmTests, runInGuest } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests pass on kernel 6.1", async (t) => {
  const kernel = await found(t, "6.1");
  const elsewhere = labTests(lvmTests);
  const files = labTests().filter((file) => !elsewhere.includes(file));
  if (kernel !== undefined) await retell(t, runInGuest(kernel, files));
});
