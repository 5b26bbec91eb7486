import type { OperationResult } from "../schema/types.js";
import { catalogue } from "./catalogue.js";
import type { Code } from "./details.js";
import { exit, type ExitCode } from "./exit.js";

/**
 * How a transaction, or the request for one, ended. created, degraded: there is a set. aborted, interrupted: everything was undone.
 * refused: nothing was begun. broken: something is left, or holdstill has a bug.
 */
export type Outcome = OperationResult["outcome"];

export interface Ending<O extends Outcome = Outcome> {
  readonly outcome: O;
  readonly exitCode: ExitCode;
}

/** What is there after an error: nothing was begun; everything was undone; or something could not be undone. */
export type Remains = "not-begun" | "undone" | "residue";

/** The one mapping from an error's code to the outcome. A bug is never refused or aborted. */
export function endingOf(code: string, remains: Exclude<Remains, "not-begun">): Ending<Exclude<Outcome, "refused">>;
export function endingOf(code: string, remains: Remains): Ending;
export function endingOf(code: string, remains: Remains): Ending {
  if (remains === "residue") return { outcome: "broken", exitCode: exit.residue };
  if (code === "E_BUG") return { outcome: "broken", exitCode: exit.bug };
  if (code === "E_INTERRUPTED") return { outcome: "interrupted", exitCode: exit.interrupted };
  return remains === "undone"
    ? { outcome: "aborted", exitCode: exit.aborted }
    : { outcome: "refused", exitCode: exitCodeOf(code) };
}

/** Of a transaction that made a set. */
export function endingOfSet(
  consistency: "as-asked" | "lower",
  residue: readonly unknown[],
): Ending<"created" | "degraded" | "broken"> {
  if (residue.length > 0) return { outcome: "broken", exitCode: exit.residue };
  return consistency === "lower"
    ? { outcome: "degraded", exitCode: exit.degraded }
    : { outcome: "created", exitCode: exit.done };
}

/** What the command line ends with for an error that is data by now. A newer service may send a code that is not known here. */
export const exitCodeOf = (code: string): ExitCode =>
  Object.hasOwn(catalogue, code) ? catalogue[code as Code].exit : exit.aborted;
