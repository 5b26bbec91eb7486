/** The lab tests of provider-lvm on the newest kernel: one half, in a guest of its own beside that of the other half. */
import test from "node:test";
import { foundNewest } from "./found.js";
import { isLvmTest, labTests } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests of provider-lvm pass on the newest kernel", async (t) => {
  const kernel = await foundNewest(t);
  if (kernel !== undefined) await retell(t, kernel, labTests().filter(isLvmTest));
});
