import { command, oneSet } from "../parse/command.js";
import { print, printDocument } from "../terminal/output.js";

export const conceal = command({
  usage: "SET",
  about: "Undoes expose: the set's snapshots are kept, and can no longer be read.",
  operands: oneSet,
  options: {},
  examples: [{ line: "holdstill conceal latest", does: "after the backup has read them" }],
  async run({ operands: [key = ""], form, quiet, reach }) {
    const set = await (await reach("workers")).conceal(key);
    if (form === "json") printDocument("conceal", set);
    else if (!quiet) print([`Set ${set.id} is concealed.`]);
    return 0;
  },
});
