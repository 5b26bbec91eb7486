import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { printDocument } from "../terminal/output.js";
import { exitOfRemoval, printRemoval } from "./parts/removal.js";
import { described } from "../render/set.js";
import { visible } from "../../base/display/visible.js";

export const deleteCommand = command({
  usage: "SET… [--yes]",
  about: "Removes the sets' snapshots and then their records. One that cannot be removed does not stop the others.",
  operands: { name: "SET", min: 1, max: Infinity },
  options: { yes: { type: "flag", short: "y", about: "do not ask" } },
  examples: [
    { line: "holdstill delete nightly", does: "says what it will do, and asks" },
    { line: "holdstill delete 20260102-0304 20260103-0304 --yes", does: "for scripts" },
  ],
  async run(call) {
    const requester = await call.connect("workers");
    // All of them first: a name that is wrong is told before anything is gone.
    const named = await Promise.all(call.operands.map(async (key) => requester.show(key)));
    const sets = new Map(named.map((set) => [set.id, set]));
    const will = [...sets.values()].map((set) => `delete ${described(visible(set))}`);
    if (!(await isConfirmed(will, call.values.yes, call))) return exit.interrupted;
    const removed = await requester.removeAll([...sets.keys()]);
    if (call.form === "json") printDocument("delete", removed);
    else printRemoval(removed, call);
    return exitOfRemoval(removed);
  },
});
