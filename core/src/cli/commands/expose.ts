import { command, oneSet } from "../parse/command.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { exposedLines } from "../render/set.js";

export const exposeCommand = command({
  usage: "SET [--at DIR]",
  about:
    "Makes the set's snapshots readable, and prints for each captured path where its snapshot lies. With --at they lie read-only below one empty folder as well, at their original paths, with the set's record and the writers' files in .holdstill beside them, until the set is unexposed.",
  operands: oneSet,
  options: { at: { type: "text", value: "DIR", about: "an empty folder to have them all in" } },
  examples: [
    { line: "holdstill expose latest", does: "where the snapshots are" },
    { line: "holdstill expose latest --at /mnt/snapshot", does: "/srv/file is /mnt/snapshot/srv/file, too" },
    { line: "holdstill expose nightly --json", does: "the set; .exposed says where" },
  ],
  async run({ operands: [key = ""], form, quiet, values: { at }, open, connect: reach }) {
    // What is mounted elsewhere is mounted by who asks for it.
    const set =
      at === undefined ? await (await reach("workers")).expose(key) : await (await open("workers")).expose(key, at);
    if (form === "json") printDocument("expose", set);
    else if (quiet && at !== undefined) print([set.exposedAt ?? ""]);
    else if (quiet) print((set.exposed ?? []).flatMap(({ exposed }) => exposed.trees.map(({ path }) => path)));
    else print(exposedLines(set, stdoutStyle()));
    return 0;
  },
});
