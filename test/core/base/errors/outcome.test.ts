/** How a request ended, for every error code there is. */
import assert from "node:assert/strict";
import test from "node:test";
import { catalogue } from "#core/base/errors/catalogue.js";
import type { Code } from "#core/base/errors/details.js";
import { exit } from "#core/base/errors/exit.js";
import { endingOf, endingOfSet, exitCodeOf, type Ending } from "#core/base/errors/outcome.js";

const codes = Object.keys(catalogue) as Code[];

/** The two codes that mean the same whatever remains, unless something is left. */
const special: { readonly [C in Code]?: Ending } = {
  E_BUG: { outcome: "broken", exitCode: exit.bug },
  E_INTERRUPTED: { outcome: "interrupted", exitCode: exit.interrupted },
};

for (const code of codes) {
  test(`${code} ends a request as it should, before it begins, undone, and with residue`, () => {
    assert.deepEqual(
      endingOf(code, "not-begun"),
      special[code] ?? { outcome: "refused", exitCode: catalogue[code].exit },
    );
    assert.deepEqual(endingOf(code, "undone"), special[code] ?? { outcome: "aborted", exitCode: exit.aborted });
    assert.deepEqual(endingOf(code, "residue"), { outcome: "broken", exitCode: exit.residue });
    assert.equal(exitCodeOf(code), catalogue[code].exit);
  });
}

test("a code that only a newer service knows is an abort", () => {
  assert.deepEqual(endingOf("E_OF_TOMORROW", "not-begun"), { outcome: "refused", exitCode: exit.aborted });
  assert.deepEqual(endingOf("E_OF_TOMORROW", "undone"), { outcome: "aborted", exitCode: exit.aborted });
  assert.equal(exitCodeOf("toString"), exit.aborted);
});

test("a set is created, degraded, or broken if something of it is left", () => {
  assert.deepEqual(endingOfSet("as-asked", []), { outcome: "created", exitCode: exit.done });
  assert.deepEqual(endingOfSet("lower", []), { outcome: "degraded", exitCode: exit.degraded });
  for (const consistency of ["as-asked", "lower"] as const)
    assert.deepEqual(endingOfSet(consistency, ["one"]), { outcome: "broken", exitCode: exit.residue });
});
