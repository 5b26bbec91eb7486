import { command, oneSet } from "../parse/command.js";
import { outLook, print, printDocument } from "../terminal/output.js";
import { exposedLines } from "../render/set.js";

export const expose = command({
  usage: "SET [--at DIR]",
  about:
    "Makes the set's snapshots readable, and prints for each captured path where its picture lies. With --at they lie read-only below one empty folder as well, at their original paths, with the set's record and the writers' files in .holdstill beside them, until the set is concealed.",
  operands: oneSet,
  options: { at: { type: "text", value: "DIR", about: "an empty folder to have them all in" } },
  examples: [
    { line: "holdstill expose latest", does: "where the pictures are" },
    { line: "holdstill expose latest --at /mnt/picture", does: "/srv/file is /mnt/picture/srv/file, too" },
    { line: "holdstill expose nightly --json", does: "the set; .exposed says where" },
  ],
  async run({ operands: [key = ""], form, quiet, values: { at }, open, reach }) {
    // What is mounted elsewhere is mounted by who asks for it.
    const set =
      at === undefined ? await (await reach("workers")).expose(key) : await (await open("workers")).expose(key, at);
    if (form === "json") printDocument("expose", set);
    else if (quiet && at !== undefined) print([set.mirror ?? ""]);
    else if (quiet) print((set.exposed ?? []).flatMap(({ exposed }) => exposed.trees.map(({ path }) => path)));
    else print(exposedLines(set, outLook()));
    return 0;
  },
});
