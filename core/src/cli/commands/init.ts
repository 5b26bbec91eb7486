import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import { toFault } from "../../base/errors/error.js";
import { command, noOperands } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { prepareExit } from "../terminal/exit.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { planLines } from "../render/plan.js";

export const init = command({
  usage: "[--print] [--yes]",
  about:
    "Finds the database servers that run here and the volumes that they are on, writes a config for them with every line explained, and shows what a snapshot of all would do. The config goes to the file that --config names, else to /etc/holdstill/holdstill.yaml, or for an ordinary user to the XDG config folder. One that is there is never changed.",
  operands: noOperands,
  options: {
    print: { type: "flag", about: "only print the config" },
    yes: { type: "flag", short: "y", about: "do not ask" },
  },
  examples: [
    { line: "holdstill init", does: "on day one" },
    { line: "holdstill init --print", does: "what it would write" },
  ],
  async run(call) {
    const { draftConfig, usualFile, writeConfig } = await import("../../engine/setup/draft-config.js");
    const { text, targets } = await draftConfig();
    const file = path.resolve(call.config ?? usualFile());
    if (call.values.print) {
      if (call.form === "json") printDocument("init", { file, text, targets });
      else print(text.trimEnd().split("\n"));
      return 0;
    }
    if (!(await isConfirmed([`write ${file}, with ${targets.join(", ") || "no writer"}`], call.values.yes, call)))
      return exit.interrupted;
    writeConfig(file, text);
    if (call.form === "json") printDocument("init", { file, text, targets });
    else if (!call.quiet) {
      print([`${file} is written.`]);
      await showPlan(file, targets);
    }
    return 0;
  },
});

/** A server that does not let us in yet is no fault of init: what to do is said. */
async function showPlan(file: string, targets: readonly string[]): Promise<void> {
  if (targets.length === 0) return;
  await prepareExit();
  const { open } = await import("../../engine/open.js");
  const requester = await open({ config: file });
  try {
    print(["", ...planLines(await requester.plan({ targets }), [], requester.settings.limits, stdoutStyle())]);
  } catch (error) {
    printError(["No plan can be made yet:", ...faultLines(toFault(error), stderrStyle())]);
  }
}
