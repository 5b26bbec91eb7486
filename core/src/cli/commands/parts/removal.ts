import type { ExitCode } from "../../../base/errors/exit.js";
import type { Engine } from "../../../engine/engine.js";
import type { CommandCall } from "../../parse/command.js";
import { faultLines } from "../../render/fault.js";
import { print, printError, stderrStyle } from "../../terminal/output.js";
import { exitOf } from "../../terminal/report-error.js";

export type Removed = Awaited<ReturnType<Engine["removeAll"]>>;

/** Which sets were deleted, and why others were not. */
export function printRemoval(
  { deleted, failed, forgotten = [], unseen = [] }: Removed,
  { quiet }: Pick<CommandCall, "quiet">,
): void {
  if (!quiet) print(deleted.map((id) => `Set ${id} is deleted.`));
  for (const { set, snapshots, errors = [] } of unseen) {
    printError([
      `holdstill: warning: ${snapshots.join(", ")} of set ${set} could not be seen before, and may still exist.`,
      "→ If its storage was not available, `holdstill recover` removes it once it is listed again.",
      ...errors.flatMap((error) => faultLines(error, stderrStyle())),
    ]);
  }
  for (const { set, error } of forgotten) {
    printError([`Set ${set} is forgotten, and a snapshot of it may still exist:`, ...faultLines(error, stderrStyle())]);
  }
  for (const [at, { set, error }] of failed.entries()) {
    const heading = failed[at - 1]?.set === set ? [] : [`Set ${set} is not deleted:`];
    printError([...heading, ...faultLines(error, stderrStyle())]);
  }
}

/** The code of the first failure. */
export const exitOfRemoval = ({ failed }: Removed): ExitCode => (failed[0] === undefined ? 0 : exitOf(failed[0].error));
