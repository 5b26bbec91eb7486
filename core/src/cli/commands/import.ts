import { createReadStream, fstatSync, openSync, type ReadStream } from "node:fs";
import path from "node:path";
import type { SnapshotSet } from "../../base/schema/types.js";
import { command } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { summaryLines } from "../render/set.js";
import { print, printDocument, printError, stdoutStyle } from "../terminal/output.js";
import { withSignals } from "./parts/with-signals.js";

export const importCommand = command({
  about:
    "Makes a set that `holdstill export` wrote on another host one of this host, under the same id. The first provider of the config that can take contents holds them. The writers of the config that have the same names then repair it. Nothing is imported unless the whole file is undamaged. A digest does not prove the origin of the file: import only what you trust.",
  operands: [{ name: "FILE" }],
  options: { "as-cut": { type: "flag", about: "do not repair it" } },
  examples: [
    {
      line: "holdstill import 20260102-030405-0a1b2c.holdstill",
      does: "then `show`, `verify`, `expose`, `restore --to`",
    },
    { line: "holdstill import -", does: "from a pipe: `ssh HOST holdstill export SET --to -`" },
  ],
  async run(call) {
    const [file = ""] = call.operands;
    const contents = call.values["as-cut"] ? "as-cut" : "repaired";
    const engine = await call.open("workers");
    const source = file === "-" ? { file: "on standard input", stream: process.stdin } : { file, stream: opened(file) };
    return withSignals(call, async (signal) => {
      const set = await engine.import({ ...source, contents }, signal);
      if (call.form === "json") printDocument("import", set);
      else print(call.quiet ? [set.id] : summaryLines(set, stdoutStyle()));
      for (const problem of notRepaired(set)) printError([`holdstill: warning: ${problem}`]);
      return 0;
    });
  },
});

function opened(file: string): ReadStream {
  try {
    const fd = openSync(path.resolve(file), "r");
    if (fstatSync(fd).isDirectory()) throw new Error("it is a folder");
    return createReadStream("", { fd });
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read: ${(error as Error).message}.`,
      "Name a file that `holdstill export` wrote.",
    );
  }
}

const notRepaired = ({ writers }: SnapshotSet): string[] =>
  writers.flatMap(({ by, repair }) =>
    repair === undefined || repair.state === "repaired"
      ? []
      : [`${by.instance} did not repair it: ${repair.reason ?? repair.state}`],
  );
