import type { Restored, Reverted } from "../../../engine/restore/restore.js";
import type { CommandCall } from "../../parse/command.js";
import { exitOf } from "../../terminal/report-error.js";
import { stderrStyle, print, printDocument, printError } from "../../terminal/output.js";
import { faultLines } from "../../render/fault.js";
import { visible } from "../../../base/display/visible.js";

/** What restore and revert end with. @returns The code of a writer that could not finish. */
export function reportRestore(
  restored: Restored | Reverted,
  { form, quiet }: Pick<CommandCall, "form" | "quiet">,
): number {
  const { set, steps, unfinished } = restored;
  if (form === "json") {
    if ("safety" in restored) printDocument("revert", restored);
    else printDocument("restore", restored);
  } else {
    if (!quiet && steps.length === 0) print([`The volumes are as they were in set ${set.id}.`]);
    if (!quiet)
      print(visible(steps).map(({ to, aside }) => `${to} is restored${aside === null ? "" : `; before: ${aside}`}.`));
    for (const { writer, error } of unfinished)
      printError([
        `The data of ${writer} is in place, and must be finished by hand: the set's files lie in`,
        `  ${set.writers.find(({ by }) => by.instance === writer)?.sidecar?.dir ?? "(it has none)"}`,
        ...faultLines(error, stderrStyle()),
      ]);
  }
  return unfinished[0] === undefined ? 0 : exitOf(unfinished[0].error);
}
