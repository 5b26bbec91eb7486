import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { swapIntoPlace } from "#core/store/swap-into-place.js";
import type { RestoreStep } from "#core/base/schema/types.js";
import { tempDir } from "../../support/storage/temp.js";

interface Place {
  step: RestoreStep;
  /** What is to be read at the place now. */
  reads: () => string;
}

function place(t: TestContext, name: string): Place {
  const to = path.join(tempDir(t), name);
  const step = { component: name, original: to, to, draft: `${to}.restoring`, aside: `${to}.before` };
  for (const [dir, text] of [
    [to, "spoilt"],
    [step.draft, "precious"],
  ] as const) {
    mkdirSync(dir);
    writeFileSync(path.join(dir, "file"), text);
  }
  return { step, reads: () => readFileSync(path.join(to, "file"), "utf8") };
}

test("a copy and what was there change names: the place itself is never without data", async (t) => {
  const { step, reads } = place(t, "data");
  const [old, fresh] = [statSync(step.to).ino, statSync(step.draft).ino];
  await swapIntoPlace([step]);
  assert.equal(reads(), "precious");
  assert.deepEqual([statSync(step.to).ino, statSync(step.aside ?? "").ino], [fresh, old]);
  assert.ok(!existsSync(step.draft));
});

test("one place that cannot be exchanged: the others are put back, and the error names that place", async (t) => {
  const [one, two, three] = [place(t, "one"), place(t, "two"), place(t, "three")];
  rmSync(two.step.to, { recursive: true });
  const error = await swapIntoPlace([one.step, two.step, three.step]).then(
    () => assert.fail("it went through"),
    (refused: Error & { details?: unknown }) => refused,
  );
  assert.match(error.message, /two/);
  assert.match(JSON.stringify(error.details), /ENOENT.*Everything was put back/);
  assert.deepEqual([one.reads(), three.reads()], ["spoilt", "spoilt"]);
  for (const { step } of [one, two, three])
    assert.deepEqual([existsSync(step.draft), existsSync(step.aside ?? "")], [true, false]);
});

test("what cannot be put back is named", async (t) => {
  const [one, two] = [place(t, "one"), place(t, "two")];
  rmSync(two.step.to, { recursive: true });
  // Nothing may take the name that the copy had.
  const blocked = {
    ...one.step,
    get draft(): string {
      return existsSync(one.step.aside ?? "") ? path.join(one.step.to, "file/no-such") : one.step.draft;
    },
  };
  await assert.rejects(swapIntoPlace([blocked, two.step]), (error: Error & { details?: unknown }) => {
    assert.match(JSON.stringify(error.details), /Not put back: [^;]*one; the rest was/);
    return true;
  });
});
