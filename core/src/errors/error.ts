import type { Fault } from "../schema/types.js";
import { catalogue } from "./catalogue.js";
import type { Code, Details } from "./details.js";
import type { ExitCode } from "./exit.js";

/**
 * An operational error: something outside the code is not as it must be. It has a code, a sentence, what was seen (`details`)
 * and the next step (`hint`). Any other exception that reaches the top is a bug.
 */
export class HoldstillError<C extends Code = Code> extends Error {
  override readonly name = "HoldstillError";
  readonly code: C;
  readonly details: Details[C];
  readonly hint: string;
  /** What the command line ends with. */
  readonly exitCode: ExitCode;

  constructor(code: C, details: Details[C], options?: ErrorOptions) {
    const entry = catalogue[code];
    super(entry.message(details), options);
    this.code = code;
    this.details = details;
    this.hint = entry.hint(details);
    this.exitCode = entry.exit;
  }
}

/** An error as data, for events, records and JSON output. */
export function toFault(error: unknown): Fault {
  if (isHoldstillError(error)) {
    return { code: error.code, message: error.message, hint: error.hint, details: { ...error.details } };
  }
  return { code: "E_BUG", message: error instanceof Error ? error.message : String(error) };
}

export function isHoldstillError(error: unknown): error is HoldstillError {
  return error instanceof HoldstillError;
}
