import { exit } from "../../base/errors/exit.js";
import { command, oneSet } from "../parse/command.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { verifiedLines } from "../render/set.js";
import { visible } from "../../base/display/visible.js";

export const verifyCommand = command({
  usage: "SET",
  about:
    "Shows the snapshots writable, has each writer start its application on them and look, and throws away what was written. What was found is kept in the record. Ends with 5 if one does not open.",
  operands: oneSet,
  options: {},
  examples: [{ line: "holdstill verify latest", does: "before the backup is needed" }],
  async run({ operands: [key = ""], form, connect: reach }) {
    const set = await (await reach("workers")).verify(key);
    if (form === "json") printDocument("verify", set);
    else print(verifiedLines(visible(set), stdoutStyle()));
    return (set.verified ?? []).every(({ ok }) => ok) ? 0 : exit.degraded;
  },
});
