import { command, oneSet } from "../command.js";
import { outLook, print, printDocument } from "../output.js";
import { exposedLines } from "../render/set.js";

export const expose = command({
  usage: "SET",
  about: "Makes the set's snapshots readable, and prints for each captured path where its picture lies.",
  operands: oneSet,
  options: {},
  examples: [
    { line: "holdstill expose latest", does: "where the pictures are" },
    { line: "holdstill expose nightly --json", does: "the set; .exposed says where" },
  ],
  async run({ operands: [key = ""], form, quiet, open }) {
    const set = await (await open("workers")).expose(key);
    if (form === "json") printDocument(set);
    else if (quiet) print((set.exposed ?? []).flatMap(({ exposed }) => exposed.trees.map(({ path }) => path)));
    else print(exposedLines(set, outLook()));
    return 0;
  },
});
