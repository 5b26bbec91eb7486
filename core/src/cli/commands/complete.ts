import { command, oneSet } from "../parse/command.js";
import { typeOption } from "../parse/request.js";
import { faultLines } from "../render/fault.js";
import { print, printDocument, printError, stderrStyle } from "../terminal/output.js";
import { exitOf } from "../terminal/report-error.js";

export const completeCommand = command({
  about:
    "Notifies the writers whether the backup of the set succeeded. Only after a full backup that succeeded may they truncate their logs.",
  operands: oneSet,
  options: {
    succeeded: { type: "flag", about: "the backup is complete and safe" },
    failed: { type: "flag", about: "the backup failed; the set stays" },
    type: typeOption,
  },
  groups: [{ need: "exactly-one", options: ["succeeded", "failed"] }],
  examples: [
    { line: "holdstill complete latest --succeeded", does: "a copy was made" },
    {
      line: "holdstill complete nightly --succeeded --type full",
      does: "the logs up to this set are no longer needed",
    },
    { line: "holdstill complete nightly --failed", does: "the backup failed" },
  ],
  async run({ operands: [key = ""], values: { succeeded, type = "copy" }, form, quiet, connect }) {
    const engine = await connect("workers");
    const { set, failed } = await engine.complete(key, { succeeded, type });
    if (form === "json") printDocument("complete", { set, failed });
    else {
      if (!quiet) print([`The backup of set ${set.id} is recorded as ${succeeded ? "succeeded" : "failed"}.`]);
      for (const { error } of failed) printError(faultLines(error, stderrStyle()));
    }
    return failed[0] === undefined ? 0 : exitOf(failed[0].error);
  },
});
