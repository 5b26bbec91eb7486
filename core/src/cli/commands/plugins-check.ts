import { visible } from "../../base/display/visible.js";
import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { interruption } from "../live/interrupt.js";
import { prepareExit } from "../terminal/exit.js";
import { UsageError } from "../parse/usage-error.js";
import { stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { CheckLines, verdictLines } from "../render/conformance.js";

const runtimes = ["thread", "process"] as const;

export const pluginsCheck = command({
  about:
    "Checks the plugin in the folder DIR against the contract: its manifest, and every call, in order and out of order, in real workers. The file conformance.json in its folder defines what the calls work on. Exits with 0 if the plugin conforms, else with 3.",
  operands: [{ name: "DIR" }],
  options: {
    fixture: { type: "text", value: "FILE", about: "use this file instead of conformance.json in the plugin's folder" },
    only: { type: "list", value: "NAME", about: "run this check, and those that it needs; may be repeated" },
    runtime: { type: "text", choices: runtimes, about: "run in threads or in processes only; default: both" },
  },
  examples: [
    { line: "holdstill plugins check ./writer-acme", does: "before a release" },
    { line: "holdstill plugins check . --runtime process --json", does: "for CI" },
  ],
  async run({ operands, values, form, quiet, verbose }) {
    const { runtime } = values;
    await prepareExit();
    const { checkNames, checkPlugin } = await import("../../conformance/suite.js");
    const unknown = values.only.find((name) => !checkNames.includes(name));
    if (unknown !== undefined) {
      const hint = "`holdstill plugins check DIR --json` lists all names.";
      throw new UsageError(`Unknown check \`${unknown}\`.`, hint, { word: unknown, known: checkNames });
    }
    const lines = new CheckLines(stdoutStyle(), quiet ? "failed" : "all");
    const { signal, end } = interruption((text) => printError([`holdstill: ${text}`]));
    try {
      const report = await checkPlugin(operands[0] ?? "", {
        ...(values.fixture === undefined ? {} : { fixture: values.fixture }),
        ...(runtime === undefined ? {} : { runtimes: [runtime] }),
        ...(values.only.length === 0 ? {} : { only: values.only }),
        signal,
        ...(verbose ? { onLog: (line) => printError([visible(line)]) } : {}),
        onWait: (what) => printError([`holdstill: ${visible(what)}`]),
        onResult: (result) => {
          if (form === "text") print(lines.of(result));
        },
      });
      if (form === "json") printDocument("plugins-check", report);
      else print(verdictLines(report, stdoutStyle()));
      return report.failed === 0 ? exit.done : exit.refused;
    } finally {
      end();
    }
  },
});
