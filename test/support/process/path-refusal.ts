import assert from "node:assert/strict";
import { type HoldstillError, isHoldstillError } from "#core/base/errors/error.js";

/** The coded error that an act must throw. */
export function refusalFrom(act: () => unknown): HoldstillError {
  try {
    const result = act();
    if (typeof result === "object" && result !== null && Symbol.dispose in result)
      (result as Disposable)[Symbol.dispose]();
  } catch (error) {
    assert.ok(isHoldstillError(error), `threw ${error instanceof Error ? error.stack : String(error)}`);
    return error;
  }
  return assert.fail("nothing was thrown");
}
