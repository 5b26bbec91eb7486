import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newSetId } from "#core/plan/set-id.js";
import { runScript } from "../../support/process/run-script.js";

test("ids that are made one after another are all different and ascend, also within a millisecond", () => {
  const ids = Array.from({ length: 5000 }, () => newSetId());
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^\d{8}-\d{6}-[0-9a-f]{6}$/);
});

test("of two processes within one second the later one has the higher id", async () => {
  const script = `import { newSetId } from ${JSON.stringify(import.meta.resolve("#core/plan/set-id.js"))}; console.log(newSetId());`;
  const first = newSetId();
  await sleep(2);
  const { stdout } = await runScript(script);
  assert.ok(first < stdout.trim());
});
