import type { TestContext } from "node:test";

const undoings = new WeakMap<TestContext, (() => void)[]>();

/**
 * Runs `undo` when the test ends, also when it fails: the last one first, unlike t.after. A folder must not be removed
 * before what is mounted in it is unmounted. One that throws does not stop the others.
 */
export function afterwards(t: TestContext, undo: () => void): void {
  const known = undoings.get(t);
  if (known !== undefined) {
    known.push(undo);
    return;
  }
  const stack = [undo];
  undoings.set(t, stack);
  t.after(() => {
    const errors: unknown[] = [];
    for (const step of stack.toReversed()) {
      try {
        step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "the test left something behind");
  });
}
