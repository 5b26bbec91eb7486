import { asHoldstillError, HoldstillError, toFault } from "../../base/errors/error.js";
import type { ExitCode } from "../../base/errors/exit.js";
import { endingOf, exitCodeOf } from "../../base/errors/outcome.js";
import { nearest } from "../../base/schema/nearest.js";
import type { EndedEvent, Fault } from "../../base/schema/types.js";
import type { Form } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { stderrStyle, printDocument, printLine, printError } from "./output.js";
import { faultLines } from "../render/fault.js";

/** Reports an error in the requested form. @returns the exit code. */
export function reportError(thrown: unknown, form: Form, verbose: boolean): ExitCode {
  const error = asHoldstillError(thrown instanceof UsageError ? usageFault(thrown) : thrown);
  const fault = toFault(error);
  if (form === "stream") printLine(endedBy(error));
  else if (form === "json") printDocument("error", { error: fault });
  else printError(faultLines(fault, stderrStyle()));
  if (error.code === "E_BUG" && verbose) printError(stackOf(error).split("\n"));
  return error.exitCode;
}

/** A stream ends with `ended`, even if nothing had begun. */
function endedBy(error: HoldstillError): EndedEvent {
  const at = new Date().toISOString();
  return { type: "ended", at, ms: 0, ...endingOf(error.code, "not-begun"), error: toFault(error), residue: [] };
}

/** The exit code of an error that is data. */
export function exitOf({ code }: Fault): ExitCode {
  return exitCodeOf(code);
}

function usageFault({ message, hint, spelling }: UsageError): HoldstillError {
  const near = spelling === null ? undefined : nearest(spelling.word, spelling.known);
  const problem = near === undefined ? message : `${message} Did you mean \`${near}\`?`;
  return new HoldstillError("E_USAGE", { problem, hint });
}

function stackOf({ cause, stack = "" }: HoldstillError): string {
  return cause instanceof Error ? (cause.stack ?? stack) : stack;
}
