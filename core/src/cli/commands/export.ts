import { ExportFile } from "../../store/export-file.js";
import { command } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { withSignals } from "./parts/with-signals.js";

export const exportCommand = command({
  about:
    "Writes a set into one file, for `holdstill import` on another host: its record, the files of the writers, and the contents as they were cut. The file is a tar archive with a digest at its end. It gets its name when it is whole. A repair is not a part of it: the other host repairs the set.",
  operands: [{ name: "SET" }],
  options: {
    to: {
      type: "text",
      value: "FILE|DIR|-",
      required: true,
      about: "a new file, a folder for ID.holdstill, or - for standard output",
    },
  },
  examples: [
    { line: "holdstill export nightly --to /mnt/transfer", does: "the file ID.holdstill in that folder" },
    { line: "holdstill export nightly --to -", does: "for a pipe to `ssh HOST holdstill import -`" },
  ],
  async run(call) {
    const [key = ""] = call.operands;
    const { to } = call.values;
    if (to === "-" && call.form === "json")
      throw new UsageError("--json and --to - both write to standard output.", "Name a file with --to.");
    const engine = await call.open("workers");
    return withSignals(call, async (signal) => {
      if (to === "-") {
        await engine.export(key, process.stdout, signal);
        return 0;
      }
      const { id } = engine.show(key);
      using file = ExportFile.create(to, id);
      try {
        const sha256 = await engine.export(key, file.output, signal);
        file.keep();
        if (call.form === "json") printDocument("export", { set: id, file: file.path, sha256 });
        else print([call.quiet ? file.path : `set ${id} is in ${file.path}`]);
        return 0;
      } catch (error) {
        file.discard();
        throw error;
      }
    });
  },
});
