/** All lab tests, on Debian 12's kernel. */
import test from "node:test";
import { found } from "./found.js";
import { labTests, runInGuest } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests pass on kernel 6.1", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel !== undefined) await retell(t, runInGuest(kernel, labTests()));
});
