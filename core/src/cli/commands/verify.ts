import { visible } from "../../base/display/visible.js";
import { exit, type ExitCode } from "../../base/errors/exit.js";
import type { Verification } from "../../base/schema/types.js";
import { command, oneSet } from "../parse/command.js";
import { verifiedLines } from "../render/set.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";

export const verifyCommand = command({
  about:
    "Exposes the set writable. Each writer starts its application on the contents and checks them; what was written is then discarded. Of a raw block device, only the beginning and the end are read. The result is stored in the record. Exits with 5 if an application does not open its data, and with 7 if one could not be examined.",
  operands: oneSet,
  options: {},
  examples: [{ line: "holdstill verify latest", does: "before the backup is needed" }],
  async run({ operands: [key = ""], form, connect }) {
    const set = await (await connect("workers")).verify(key);
    if (form === "json") printDocument("verify", set);
    else print(verifiedLines(visible(set), stdoutStyle()));
    return exitCodeOf(set.verified ?? []);
  },
});

function exitCodeOf(verified: readonly Verification[]): ExitCode {
  const results = new Set(verified.map(({ result }) => result));
  if (results.has("does-not-open")) return exit.degraded;
  return results.has("not-examined") ? exit.notExamined : exit.done;
}
