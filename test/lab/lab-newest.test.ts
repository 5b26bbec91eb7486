/** All other lab tests, on the newest kernel. */
import test from "node:test";
import { foundNewest } from "./found.js";
import { isLvmTest, labTests } from "./guest.js";
import { retell } from "./retell.js";

test("the lab tests pass on the newest kernel", async (t) => {
  const kernel = await foundNewest(t);
  const files = labTests().filter((file) => !isLvmTest(file));
  if (kernel !== undefined) await retell(t, kernel, files);
});
