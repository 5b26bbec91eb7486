import { visible } from "../../../base/display/visible.js";
import type { Restored, WithoutFlags } from "../../../base/schema/types.js";
import type { Reverted } from "../../../engine/restore/restore.js";
import type { CommandCall } from "../../parse/command.js";
import { faultLines } from "../../render/fault.js";
import { print, printDocument, printError, stderrStyle } from "../../terminal/output.js";
import { exitOf } from "../../terminal/report-error.js";

/** The result of restore and revert. @returns The exit code of a writer that could not finish. */
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
      print(
        visible(steps).map(
          ({ to, aside }) => `${to} is restored.${aside === null ? "" : ` The previous data is in ${aside}.`}`,
        ),
      );
    if (restored.withoutFlags !== undefined) printError(flagLines(restored.withoutFlags));
    for (const { writer, error } of unfinished)
      printError([
        `The data of ${writer} is in place, but the restore must be finished manually. Its files are in`,
        `  ${set.writers.find(({ by }) => by.instance === writer)?.sidecar?.dir ?? "(it has none)"}`,
        ...faultLines(error, stderrStyle()),
      ]);
  }
  return unfinished[0] === undefined ? 0 : exitOf(unfinished[0].error);
}

function flagLines({ count, first }: WithoutFlags): string[] {
  const lack =
    count === 1
      ? "1 file or folder lacks attributes of its original"
      : `${count} files and folders lack attributes of their originals`;
  const shown = visible(first).map(({ path, flags }) => `  +${flags} ${path}`);
  const more = count > first.length ? [`  and ${count - first.length} more`] : [];
  return [`${lack} (see chattr):`, ...shown, ...more];
}
