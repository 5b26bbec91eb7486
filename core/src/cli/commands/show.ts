import { command, oneSet } from "../command.js";
import { outLook, print, printDocument } from "../output.js";
import { setLines } from "../render/set.js";

export const show = command({
  usage: "SET",
  about: "The record of a set: what was reached and why, the writers' facts and files, and the timeline.",
  operands: oneSet,
  options: {},
  examples: [
    { line: "holdstill show latest", does: "the set that was made last" },
    { line: "holdstill show 20260102-0304 --json", does: "the record, by the beginning of its id" },
  ],
  async run({ operands: [key = ""], form, open }) {
    const set = (await open("catalog")).show(key);
    if (form === "json") printDocument(set);
    else print(setLines(set, outLook()));
    return 0;
  },
});
