import { exit } from "../../base/errors/exit.js";
import { command, oneSet } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { printError } from "../terminal/output.js";
import { described } from "../render/set.js";
import { visible } from "../../base/display/visible.js";
import { reportRestore } from "./parts/restored.js";
import type { Safety } from "../../engine/restore/safety-snapshot.js";

export const revertCommand = command({
  usage: "SET [--yes]",
  about:
    "Has the providers put whole volumes back as they were at the cut, where they can. What was written to them since is gone, also what no component of the set names; where there is room, a snapshot of that is taken first, as a set of its own. The writers must say first that the applications are down.",
  operands: oneSet,
  options: { yes: { type: "flag", short: "y", about: "do not ask" } },
  examples: [{ line: "holdstill revert before-upgrade", does: "says what will be lost, and asks" }],
  async run(call) {
    const [key = ""] = call.operands;
    const requester = await call.open("workers");
    const set = requester.show(key);
    const volumes = visible(set.volumes).map(({ mountPoint }) => mountPoint);
    const will = `put ${volumes.join(", ")} back as in ${described(visible(set))}; what was written since is lost there`;
    if (!(await isConfirmed([will], call.values.yes, call))) return exit.interrupted;
    const reverted = await requester.revert(set.id);
    const { safety } = reverted;
    if (call.form === "text" && !call.quiet) printError([safetyLine(safety)]);
    return reportRestore(reverted, call);
  },
});

function safetyLine(safety: Safety): string {
  if (safety.set !== null) return `What was there before is in set ${safety.set.id} (${safety.set.name}).`;
  return `No snapshot of what was there before could be taken: ${safety.reason.message}`;
}
