import { command, oneSet } from "../parse/command.js";
import { print, printDocument } from "../terminal/output.js";

export const unexpose = command({
  about: "Undoes expose. The snapshots of the set stay, and their contents can no longer be read.",
  operands: oneSet,
  options: {},
  examples: [{ line: "holdstill unexpose latest", does: "after the backup has read the contents" }],
  async run({ operands: [key = ""], form, quiet, connect }) {
    const set = await (await connect("workers")).unexpose(key);
    if (form === "json") printDocument("unexpose", set);
    else if (!quiet) print([`Set ${set.id} is unexposed.`]);
    return 0;
  },
});
