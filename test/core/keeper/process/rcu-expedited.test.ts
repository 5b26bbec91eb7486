/** The kernel's switch for expedited grace periods, as a file. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { RcuExpedited } from "#core/keeper/process/rcu-expedited.js";
import { tempDir } from "../../../support/storage/temp.js";

const rows: [what: string, before: string, inherited: boolean, during: string, after: string][] = [
  ["if it was off, it is on during the hold, and off again afterwards", "0", false, "1", "0"],
  ["if another process has switched it on, it stays on", "1", false, "1", "1"],
  ["if a dead keeper has left it on, it is switched off", "1", true, "1", "0"],
];
for (const [what, before, inherited, during, after] of rows) {
  test(what, (t) => {
    const file = path.join(tempDir(t), "rcu_expedited");
    writeFileSync(file, before);
    const rcu = new RcuExpedited(inherited, file);
    rcu.begin();
    assert.equal(readFileSync(file, "utf8"), during);
    rcu.end();
    rcu.end();
    assert.equal(readFileSync(file, "utf8"), after);
  });
}

test("without the switch nothing happens", (t) => {
  const rcu = new RcuExpedited(false, path.join(tempDir(t), "nothing"));
  rcu.begin();
  rcu.end();
  assert.equal(rcu.isOurs, false);
});
