import { bytes, count } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";
import type { DiffVolume } from "../../base/schema/types.js";
import { command } from "../parse/command.js";
import { tableLines } from "../render/table.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";

export const diff = command({
  about:
    "Lists which parts of each volume of SET2 differ from SET1, so that a backup tool reads only these. With --json, each part has its offset and its length in bytes, and whether it is data or zeros. The document also names the block device to read, which is there while SET2 is exposed. A part may be listed that did not change. The snapshots are compared as they were cut, without repairs.",
  operands: [{ name: "SET1" }, { name: "SET2" }],
  options: {},
  examples: [
    { line: "holdstill diff nightly latest", does: "how much changed" },
    { line: "holdstill diff nightly latest --json", does: "each part" },
  ],
  async run({ operands: [from = "", to = ""], form, open }) {
    // What it reveals of a volume, and what it names, is for the owner of the state directory: the service has no call for it.
    const found = await (await open("workers")).diff(from, to);
    if (form === "json") printDocument("diff", found);
    else
      print(
        tableLines(
          visible(found).volumes.map((volume) => [volume.paths.join(" "), volume.provider, inWords(volume)]),
          stdoutStyle(),
        ),
      );
    return 0;
  },
});

function inWords(volume: DiffVolume): string {
  if (volume.state === "whole") return `to be read as a whole: ${volume.reason}`;
  const size = (found: "data" | "hole"): number =>
    volume.extents.reduce((sum, one) => sum + (one.found === found ? one.length : 0), 0);
  const zeros = size("hole") === 0 ? "" : `, and ${bytes(size("hole"))} are zeros`;
  const parts = count(volume.extents.length, "part");
  return `${bytes(size("data"))} of ${bytes(volume.sizeBytes)} to read${zeros}, in ${parts} of ${volume.to}`;
}
