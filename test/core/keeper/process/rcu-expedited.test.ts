/** The kernel's switch for grace periods that hurry: as a file. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { RcuExpedited } from "#core/keeper/process/rcu-expedited.js";
import { tempDir } from "../../../support/storage/temp.js";

const rows: [what: string, before: string, inherited: boolean, during: string, after: string][] = [
  ["what was off is on meanwhile, and off again", "0", false, "1", "0"],
  ["what somebody else has switched on stays on", "1", false, "1", "1"],
  ["what a keeper that died has left on is switched off", "1", true, "1", "0"],
];
for (const [what, before, inherited, during, after] of rows) {
  test(what, (t) => {
    const file = path.join(tempDir(t), "rcu_expedited");
    writeFileSync(file, before);
    const haste = new RcuExpedited(inherited, file);
    haste.begin();
    assert.equal(readFileSync(file, "utf8"), during);
    haste.end();
    haste.end();
    assert.equal(readFileSync(file, "utf8"), after);
  });
}

test("where there is no such switch nothing happens", (t) => {
  const haste = new RcuExpedited(false, path.join(tempDir(t), "nothing"));
  haste.begin();
  haste.end();
  assert.equal(haste.isOurs, false);
});
