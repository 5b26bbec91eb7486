import { exit } from "../../errors/exit.js";
import { command, oneSet } from "../command.js";
import { isConfirmed } from "../confirm.js";
import { described } from "../render/set.js";
import { visible } from "../../display/visible.js";
import { reportRestore } from "../restored.js";

export const revert = command({
  usage: "SET [--yes]",
  about:
    "Has the providers put whole volumes back as they were at the cut, where they can. What was written to them since is gone, also what no component of the set names. The writers must say first that the applications are down.",
  operands: oneSet,
  options: { yes: { type: "flag", short: "y", about: "do not ask" } },
  examples: [{ line: "holdstill revert before-upgrade", does: "says what will be lost, and asks" }],
  async run(call) {
    const [key = ""] = call.operands;
    const requester = await call.open("workers");
    const set = requester.show(key);
    const volumes = visible(set.volumes).map(({ mountPoint }) => mountPoint);
    const will = `put ${volumes.join(", ")} back as in ${described(visible(set))}; what was written since is lost`;
    if (!(await isConfirmed([will], call.values.yes, call))) return exit.interrupted;
    return reportRestore(await requester.revert(set.id), call);
  },
});
