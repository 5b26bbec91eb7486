import { visible } from "../../base/display/visible.js";
import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { described } from "../render/set.js";
import { isConfirmed } from "../terminal/confirm.js";
import { printDocument } from "../terminal/output.js";
import { exitOfRemoval, printRemoval } from "./parts/removal.js";
import { yesOption } from "./parts/yes.js";

export const deleteCommand = command({
  about:
    "Removes the snapshots of each set, and then its record. A set that cannot be removed does not stop the others.",
  operands: [{ name: "SET", repeat: "at-least-once" }],
  options: {
    forget: {
      type: "flag",
      about: "remove the record even if a snapshot cannot be removed, because its storage no longer exists",
    },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill delete nightly", does: "shows what it will remove, and asks" },
    { line: "holdstill delete 20260102-0304 20260103-0304 --yes", does: "for scripts" },
  ],
  async run(call) {
    const engine = await call.connect("workers");
    // All are looked up first: a wrong name is reported before any set is removed.
    const named = await Promise.all(call.operands.map(async (key) => engine.show(key)));
    const sets = new Map(named.map((set) => [set.id, set]));
    const will = [...sets.values()].map((set) => `delete ${described(visible(set))}`);
    if (!(await isConfirmed(will, call.values.yes, call))) return exit.interrupted;
    const ids = [...sets.keys()];
    // The service has no call for it: forgetting a set takes the rights of the owner of the state directory.
    const removed = call.values.forget
      ? await (await call.open("workers")).removeAll(ids, "forget")
      : await engine.removeAll(ids);
    if (call.form === "json") printDocument("delete", removed);
    else printRemoval(removed, call);
    return exitOfRemoval(removed);
  },
});
