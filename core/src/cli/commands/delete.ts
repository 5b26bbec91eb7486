import { toFault } from "../../errors/error.js";
import { exit } from "../../errors/exit.js";
import type { Fault, SnapshotSet } from "../../schema/types.js";
import { command } from "../command.js";
import { isConfirmed } from "../confirm.js";
import { exitOf } from "../failure.js";
import { errLook, print, printDocument, tell } from "../output.js";
import { faultLines } from "../render/fault.js";
import { count, instant } from "../render/units.js";
import { visible } from "../render/visible.js";

export const remove = command({
  usage: "SET… [--yes]",
  about: "Removes the sets' snapshots and then their records. One that cannot be removed does not stop the others.",
  operands: { name: "SET", min: 1, max: Infinity },
  options: { yes: { type: "flag", short: "y", about: "do not ask" } },
  examples: [
    { line: "holdstill delete nightly", does: "says what it will do, and asks" },
    { line: "holdstill delete 20260102-0304 20260103-0304 --yes", does: "for scripts" },
  ],
  async run(call) {
    const requester = await call.open("workers");
    // All of them first: a name that is wrong is told before anything is gone.
    const sets = new Map(call.operands.map((key) => requester.show(key)).map((set) => [set.id, set]));
    const will = [...sets.values()].map((set) => `delete ${described(visible(set))}`);
    if (!(await isConfirmed(will, call.values.yes, call))) return exit.interrupted;
    const deleted: string[] = [];
    const failed: { set: string; error: Fault }[] = [];
    for (const id of sets.keys()) {
      try {
        await requester.remove(id);
        deleted.push(id);
      } catch (error) {
        failed.push({ set: id, error: toFault(error) });
      }
    }
    if (call.form === "json") printDocument({ deleted, failed });
    else {
      if (!call.quiet) print(deleted.map((id) => `Set ${id} is deleted.`));
      for (const { set, error } of failed) tell([`Set ${set} is not deleted:`, ...faultLines(error, errLook())]);
    }
    return failed[0] === undefined ? 0 : exitOf(failed[0].error);
  },
});

function described({ id, name, createdAt, snapshots }: SnapshotSet): string {
  const named = name === undefined ? "" : ` (${name})`;
  return `set ${id}${named} of ${instant(createdAt)} with ${count(snapshots.length, "snapshot")}`;
}
