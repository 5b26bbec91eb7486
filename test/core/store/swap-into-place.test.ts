import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { PendingCopy } from "#core/store/restore-draft.js";
import { swapIntoPlace } from "#core/store/swap-into-place.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";

interface Place {
  draft: PendingCopy;
  to: string;
  aside: string;
  /** Folder of the copy. */
  folder: string;
  /** What is to be read at the place now. */
  reads: () => string;
}

function fill(folder: string, text: string): void {
  mkdirSync(folder);
  writeFileSync(path.join(folder, "file"), text);
}

function place(t: TestContext, name: string): Place {
  const to = path.join(realpathSync(tempDir(t)), name);
  fill(to, "spoilt");
  const [folder, aside] = [path.join(path.dirname(to), ".restoring"), `${to}.before`];
  const draft = PendingCopy.make({ to, draft: path.join(folder, "copy"), aside }, {});
  onEnd(t, () => draft[Symbol.dispose]());
  fill(path.join(folder, "copy"), "precious");
  return { draft, to, aside, folder, reads: () => readFileSync(path.join(to, "file"), "utf8") };
}

test("a copy and what was there change names: the place itself is never without data", async (t) => {
  const { draft, to, aside, folder, reads } = place(t, "data");
  const [old, fresh] = [statSync(to).ino, statSync(path.join(folder, "copy")).ino];
  await swapIntoPlace([draft]);
  assert.equal(reads(), "precious");
  assert.deepEqual([statSync(to).ino, statSync(aside).ino], [fresh, old]);
  await draft.discard();
  assert.deepEqual(readdirSync(path.dirname(to)).toSorted(), ["data", "data.before"]);
});

test("one place that cannot be exchanged: the others are put back, and the error names that place", async (t) => {
  const [one, two, three] = [place(t, "one"), place(t, "two"), place(t, "three")];
  rmSync(two.to, { recursive: true });
  const error = await swapIntoPlace([one.draft, two.draft, three.draft]).then(
    () => assert.fail("it went through"),
    (refused: Error & { details?: unknown }) => refused,
  );
  assert.match(error.message, /two/);
  assert.match(JSON.stringify(error.details), /ENOENT.*Everything was put back/);
  assert.deepEqual([one.reads(), three.reads()], ["spoilt", "spoilt"]);
  for (const { folder, aside } of [one, two, three])
    assert.deepEqual([existsSync(path.join(folder, "copy")), existsSync(aside)], [true, false]);
});

test("what cannot be put back is named", async (t) => {
  const [one, two] = [place(t, "one"), place(t, "two")];
  rmSync(two.to, { recursive: true });
  // Nothing may take the name that the copy had.
  Object.defineProperty(two.draft.step, "aside", {
    get() {
      mkdirSync(path.join(one.folder, "copy"), { recursive: true });
      return two.aside;
    },
  });
  await assert.rejects(swapIntoPlace([one.draft, two.draft]), (error: Error & { details?: unknown }) => {
    assert.match(JSON.stringify(error.details), /Not put back: [^;]*one; the rest was/);
    return true;
  });
});
