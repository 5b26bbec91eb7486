/** The lab tests of provider-lvm on Debian 12's kernel: one half, in a guest of its own beside that of the other half. */
import test from "node:test";
import { found } from "./found.js";
import { labTests, lvmTests, runInGuest } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests of provider-lvm pass on kernel 6.1", async (t) => {
  const kernel = await found(t, "6.1");
  if (kernel !== undefined) await retell(t, runInGuest(kernel, labTests(lvmTests)));
});
