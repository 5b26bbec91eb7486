import { volumeName } from "../../base/display/volume-name.js";
import { exit } from "../../base/errors/exit.js";
import { command, oneSet } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { printError } from "../terminal/output.js";
import { described } from "../render/set.js";
import { visible } from "../../base/display/visible.js";
import { reportRestore } from "./parts/restored.js";
import { yesOption } from "./parts/yes.js";
import type { Safety } from "../../engine/restore/safety-snapshot.js";

export const revertCommand = command({
  about:
    "The providers put whole volumes back as they were at the cut, if the storage can. Everything written to them since is lost, also files that no component names. If there is space, a snapshot of the present data is taken first, as a separate set. The applications must be stopped, which their writers check first.",
  operands: oneSet,
  options: {
    finish: { type: "flag", about: "only have the writers finish what a revert put back while it was not mounted" },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill revert before-upgrade --finish", does: "after the reverted volumes are mounted again" },
    { line: "holdstill revert before-upgrade", does: "shows what will be lost, and asks" },
  ],
  async run(call) {
    const [key = ""] = call.operands;
    const engine = await call.open("workers");
    if (call.values.finish) return reportRestore(await engine.finishRevert(key), call);
    const set = engine.show(key);
    const volumes = visible(set.volumes).map(volumeName);
    const will = `put ${volumes.join(", ")} back as in ${described(visible(set))}; everything written there since is lost`;
    if (!(await isConfirmed([will], call.values.yes, call))) return exit.interrupted;
    const reverted = await engine.revert(set.id);
    const { safety } = reverted;
    if (call.form === "text" && !call.quiet) printError([safetyLine(safety)]);
    const { unmounted = [] } = reverted;
    if (call.form === "text" && unmounted.length > 0) printError(nextLines(reverted.set.id, visible(unmounted)));
    return reportRestore(reverted, call);
  },
});

const nextLines = (id: string, mountPoints: readonly string[]): string[] => [
  `The applications' data is not complete before their writers finish it, which takes ${mountPoints.join(", ")}.`,
  `→ Mount ${mountPoints.length === 1 ? "it" : "them"}, and then run: holdstill revert ${id} --finish`,
];

function safetyLine(safety: Safety): string {
  if (safety.set !== null) return `The previous data is in set ${safety.set.id} (${safety.set.name}).`;
  return `A snapshot of the previous data could not be taken: ${safety.reason.message}`;
}
