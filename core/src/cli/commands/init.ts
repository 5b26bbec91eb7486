import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import { toFault } from "../../base/errors/error.js";
import { command, noOperands } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { prepareExit } from "../terminal/exit.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { planLines } from "../render/plan.js";
import { yesOption } from "./parts/yes.js";

export const init = command({
  about:
    "Finds the database servers on this machine and their volumes. Writes a config for them, with every line explained, and shows what a snapshot of all would do. The config is written to the file that --config names. The default is /etc/holdstill/holdstill.yaml, or the XDG config folder for an ordinary user. An existing config is never changed.",
  operands: noOperands,
  options: {
    print: { type: "flag", about: "print the config, and write nothing" },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill init", does: "on the first day" },
    { line: "holdstill init --print", does: "shows what it would write" },
  ],
  async run(call) {
    const [{ draftConfig }, { refuseExisting, usualFile, writeConfig }] = await Promise.all([
      import("../../engine/setup/draft-config.js"),
      import("../../engine/setup/config-file.js"),
    ]);
    const file = path.resolve(call.config ?? usualFile());
    if (!call.values.print) refuseExisting(file);
    const { text, targets } = await draftConfig();
    if (call.values.print) {
      if (call.form === "json") printDocument("init", { file, text, targets });
      else print(text.trimEnd().split("\n"));
      return 0;
    }
    if (!(await isConfirmed([`write ${file}, with ${targets.join(", ") || "no writers"}`], call.values.yes, call)))
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

/** If a server does not accept the login yet, init has still succeeded: it reports what to do. */
async function showPlan(file: string, targets: readonly string[]): Promise<void> {
  if (targets.length === 0) return;
  await prepareExit();
  const { openPlanning } = await import("../../engine/planning-engine.js");
  const engine = await openPlanning({ config: file });
  try {
    print(["", ...planLines(await engine.plan({ targets }), [], engine.settings.limits, stdoutStyle())]);
  } catch (error) {
    printError(["No plan can be made yet:", ...faultLines(toFault(error), stderrStyle())]);
  }
}
