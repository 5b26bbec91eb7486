import type { BackupOutcome } from "../../host/contract/writer.js";
import { command, oneSet } from "../parse/command.js";
import { exitOf } from "../terminal/report-error.js";
import { UsageError } from "../parse/usage-error.js";
import { stderrStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { backupType } from "../parse/request.js";

export const completeCommand = command({
  usage: "SET --succeeded|--failed [--type copy|full]",
  about:
    "Tells the writers how the backup that was made from the set went. Only after a full backup that succeeded may they cut off their logs.",
  operands: oneSet,
  options: {
    succeeded: { type: "flag", about: "the backup is safe" },
    failed: { type: "flag", about: "it is not" },
    type: { type: "text", value: "TYPE", about: "copy (default): logs are left alone. full: their owner may cut them" },
  },
  examples: [
    { line: "holdstill complete latest --succeeded", does: "a copy was made" },
    { line: "holdstill complete nightly --succeeded --type full", does: "logs up to this set are no longer needed" },
    { line: "holdstill complete nightly --failed", does: "the set is still there" },
  ],
  async run({ operands: [key = ""], values, form, quiet, connect: reach }) {
    const outcome = outcomeOf(values);
    const requester = await reach("workers");
    const { set, failed } = await requester.complete(key, outcome);
    if (form === "json") printDocument("complete", { set, failed });
    else {
      if (!quiet) print([`The backup of set ${set.id} is recorded: ${outcome.succeeded ? "succeeded" : "failed"}.`]);
      for (const { error } of failed) printError(faultLines(error, stderrStyle()));
    }
    return failed[0] === undefined ? 0 : exitOf(failed[0].error);
  },
});

function outcomeOf({
  succeeded,
  failed,
  type = "copy",
}: {
  succeeded: boolean;
  failed: boolean;
  type: string | undefined;
}): BackupOutcome {
  if (succeeded === failed) throw new UsageError("Did the backup succeed?", "Give one of --succeeded and --failed.");
  return { succeeded, type: backupType(type) };
}
