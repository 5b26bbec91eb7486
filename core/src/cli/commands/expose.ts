import { command, oneSet } from "../parse/command.js";
import { exposedLines } from "../render/set.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";

export const exposeCommand = command({
  about:
    "Makes the contents of the set readable, and prints for each captured path where they are. With --at DIR they are also mounted read-only below one empty folder, at their original paths, until unexpose. The snapshot of a raw block device is shown as a read-only block device, which is not mounted. The folder .holdstill beside them has the record of the set and the files of the writers.",
  operands: oneSet,
  options: { at: { type: "text", value: "DIR", about: "also mount all contents below this empty folder" } },
  examples: [
    { line: "holdstill expose latest", does: "prints where the contents are" },
    { line: "holdstill expose latest --at /mnt/snapshot", does: "/srv/file is also /mnt/snapshot/srv/file" },
    { line: "holdstill expose nightly --json", does: "the set; .exposed has the paths" },
  ],
  async run({ operands: [key = ""], form, quiet, values: { at }, open, connect }) {
    // Mounts for the caller must be made by the caller's own process.
    const set =
      at === undefined ? await (await connect("workers")).expose(key) : await (await open("workers")).expose(key, at);
    if (form === "json") printDocument("expose", set);
    else if (quiet && at !== undefined) print([set.exposedAt ?? ""]);
    else if (quiet)
      print(
        (set.exposed ?? []).flatMap(({ exposed }) =>
          [...exposed.trees, ...(exposed.devices ?? [])].map(({ path }) => path),
        ),
      );
    else print(exposedLines(set, stdoutStyle()));
    return 0;
  },
});
