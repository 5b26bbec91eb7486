import assert from "node:assert/strict";
import { isHoldstillError, type HoldstillError } from "#core/base/errors/error.js";

/** The coded error that a promise must be rejected with. */
export async function refusalOf(promise: Promise<unknown>): Promise<HoldstillError> {
  const error: unknown = await promise.then(
    () => "nothing",
    (caught: unknown) => caught,
  );
  assert.ok(isHoldstillError(error), `refused with ${String(error)}`);
  return error;
}
