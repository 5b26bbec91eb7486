import type { ExitCode } from "../../../base/errors/exit.js";
import type { Requester } from "../../../engine/engine.js";
import type { Call } from "../../parse/command.js";
import { exitOf } from "../../terminal/report-error.js";
import { errLook, print, tell } from "../../terminal/output.js";
import { faultLines } from "../../render/fault.js";

export type Removed = Awaited<ReturnType<Requester["removeAll"]>>;

/** Which sets are gone, and why others are not. */
export function tellRemoval({ deleted, failed }: Removed, { quiet }: Pick<Call, "quiet">): void {
  if (!quiet) print(deleted.map((id) => `Set ${id} is deleted.`));
  for (const { set, error } of failed) tell([`Set ${set} is not deleted:`, ...faultLines(error, errLook())]);
}

/** The code of the first that could not be removed. */
export const exitOfRemoval = ({ failed }: Removed): ExitCode => (failed[0] === undefined ? 0 : exitOf(failed[0].error));
