import type { Fault } from "../schema/types.js";
import { catalogue } from "./catalogue.js";
import type { Code, Details } from "./details.js";
import type { ExitCode } from "./exit.js";

export type { Code, Details } from "./details.js";

/**
 * An operational error: something outside the code is not as required. It has a code, a message, what was seen (`details`), and
 * the next step (`hint`). Any other exception that reaches the top is a bug.
 */
export class HoldstillError<C extends Code = Code> extends Error {
  override readonly name = "HoldstillError";
  readonly code: C;
  readonly details: Details[C];
  readonly hint: string;
  /** The exit code of the command line. */
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
  const { code, message, hint, details } = asHoldstillError(error);
  return { code, message, hint, details: { ...details } };
}

/** Any thrown value as a HoldstillError. What is neither in the catalogue nor a lack of this process is a bug. */
export function asHoldstillError(error: unknown): HoldstillError {
  if (isHoldstillError(error)) return error;
  const { code, syscall, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === "EMFILE" || code === "ENFILE")
    return new HoldstillError("E_OPEN_FILES", { reason: message ?? code }, { cause: error });
  if (syscall === "uv_cwd") {
    const problem = `The current folder cannot be used: ${code}.`;
    return new HoldstillError("E_USAGE", { problem, hint: "Change to an existing folder: cd /" }, { cause: error });
  }
  return new HoldstillError(
    "E_BUG",
    { message: error instanceof Error ? error.message : String(error) },
    { cause: error },
  );
}

export function isHoldstillError(error: unknown): error is HoldstillError {
  return error instanceof HoldstillError;
}
