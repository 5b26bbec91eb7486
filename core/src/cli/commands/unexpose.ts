import { command, oneSet } from "../parse/command.js";
import { print, printDocument } from "../terminal/output.js";

export const unexpose = command({
  usage: "SET",
  about: "Undoes expose: the set's snapshots are kept, and can no longer be read.",
  operands: oneSet,
  options: {},
  examples: [{ line: "holdstill unexpose latest", does: "after the backup has read them" }],
  async run({ operands: [key = ""], form, quiet, connect: reach }) {
    const set = await (await reach("workers")).unexpose(key);
    if (form === "json") printDocument("unexpose", set);
    else if (!quiet) print([`Set ${set.id} is unexposed.`]);
    return 0;
  },
});
