import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { interruption } from "../live/interrupt.js";
import { prepareExit } from "../terminal/exit.js";
import { UsageError } from "../parse/usage-error.js";
import { stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { CheckLines, verdictLines } from "../render/conformance.js";

const runtimes = ["thread", "process"] as const;

export const pluginsCheck = command({
  usage: "DIR [--fixture FILE] [--only NAME]… [--runtime thread|process]",
  about:
    "Checks the plugin in the folder DIR against the contract: its manifest, and every call, in order and out of order, in real workers. What it is tried on is said by conformance.json in its folder. Ends with 0 if it conforms, else with 3.",
  operands: { name: "DIR", min: 1, max: 1 },
  options: {
    fixture: { type: "text", value: "FILE", about: "instead of conformance.json in the plugin's folder" },
    only: { type: "list", value: "NAME", about: "this check, and those that it needs; may be given several times" },
    runtime: { type: "text", value: "KIND", about: "thread or process; both if not given" },
  },
  examples: [
    { line: "holdstill plugins check ./writer-acme", does: "before it is shipped" },
    { line: "holdstill plugins check . --runtime process --json", does: "for a CI that reads the report" },
  ],
  async run({ operands, values, form, quiet }) {
    const runtime = runtimes.find((one) => one === values.runtime);
    if (values.runtime !== undefined && runtime === undefined)
      throw new UsageError(
        `There is no runtime \`${values.runtime}\`.`,
        "Write --runtime=thread or --runtime=process.",
      );
    await prepareExit();
    const { checkNames, checkPlugin } = await import("../../conformance/suite.js");
    const stranger = values.only.find((name) => !checkNames.includes(name));
    if (stranger !== undefined) {
      const hint = "`holdstill plugins check DIR --json` has all names.";
      throw new UsageError(`There is no check \`${stranger}\`.`, hint, { word: stranger, known: checkNames });
    }
    const lines = new CheckLines(stdoutStyle(), quiet ? "failed" : "all");
    const { signal, end } = interruption((text) => printError([`holdstill: ${text}`]));
    try {
      const report = await checkPlugin(operands[0] ?? "", {
        ...(values.fixture === undefined ? {} : { fixture: values.fixture }),
        ...(runtime === undefined ? {} : { runtimes: [runtime] }),
        ...(values.only.length === 0 ? {} : { only: values.only }),
        signal,
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
