import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import type { Leftover } from "../../engine/types.js";
import { type CommandCall, command, noOperands } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines, residueLine } from "../render/fault.js";
import { fitted } from "../terminal/style.js";
import { instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";
import { yesOption } from "./parts/yes.js";

export const recoverCommand = command({
  about:
    "Finds transactions that died or could not undo everything, snapshots that no record names, exposures of processes that died, and sets whose lease has ended. Releases volumes, thaws applications, and removes the rest. Snapshots of sets that were never recorded here are named, and stay. Exits with 6 if something still cannot be undone, or a provider could not see all of its storage.",
  operands: noOperands,
  options: {
    adopt: {
      type: "flag",
      about: "make a record of each set that has snapshots and no record, after which it can be restored or deleted",
    },
    "dry-run": { type: "flag", about: "show what is left, and change nothing" },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill recover --dry-run", does: "shows what is left" },
    { line: "holdstill recover --yes", does: "for a unit that runs at boot" },
    { line: "holdstill recover --adopt", does: "if the state directory was lost: makes records of what storage has" },
  ],
  async run(call) {
    const engine = await call.connect("workers");
    const found = await engine.leftovers();
    const isJson = call.form === "json";
    const { adopt, "dry-run": isDry } = call.values;
    const leftovers = found.filter((one): one is Undoable => isUndoable(one) && (adopt || one.type !== "unrecorded"));
    const others = found.filter((one) => !leftovers.includes(one as Undoable));
    if (!isJson) printOthers(visible(others), call);
    // If a provider could not see its storage, or a journal cannot be read, something may be left that is not known.
    const atBest = found.some(({ type }) => type === "unseen" || type === "unreadable") ? exit.residue : exit.done;
    const will = leftovers.map((leftover) => willDo(visible(leftover)));
    if (leftovers.length === 0 || isDry) {
      if (isJson) printDocument("recover", { leftovers: found, done: [], residue: [] });
      else if (will.length > 0) print(["This is left:", ...fittedLines(will.map((line) => `  ${line}`))]);
      else if (!call.quiet && others.length === 0) print(["Nothing is left over."]);
      return atBest;
    }
    if (!(await isConfirmed(will, call.values.yes, call))) return exit.interrupted;
    const { done, residue } = await engine.recover(leftovers);
    if (isJson) printDocument("recover", { leftovers: found, done, residue });
    else {
      if (!call.quiet)
        print(fittedLines(done.filter(isUndoable).map((leftover) => `Done: ${willDo(visible(leftover))}.`)));
      const style = stderrStyle();
      for (const left of residue)
        printError([
          `holdstill: ${style.paint("red", residueLine(visible(left)))}`,
          ...(left.error.hint === undefined ? [] : [`→ ${left.error.hint}`]),
        ]);
    }
    return residue.length > 0 ? exit.residue : atBest;
  },
});

const fittedLines = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => fitted(line, stdoutStyle().columns));

/** What was found, and stays. */
function printOthers(others: readonly Leftover[], { quiet }: Pick<CommandCall, "quiet">): void {
  const unrecorded = others.flatMap((one) => (one.type === "unrecorded" ? [one] : []));
  if (unrecorded.length > 0) {
    print([
      "These snapshots belong to sets that have no record here, and stay:",
      ...fittedLines(unrecorded.map((set) => `  ${describeUnrecorded(set)}`)),
      "If the state directory was lost: holdstill recover --adopt",
    ]);
  }
  const awaited = others.flatMap((one) => (one.type === "awaited" ? [one] : []));
  if (awaited.length > 0 && !quiet) {
    print([
      "These snapshots were not seen when their sets were deleted, and are not listed now:",
      ...fittedLines(awaited.map((set) => `  ${describeAwaited(set)}`)),
      "If one of them is listed again, `holdstill recover` removes it.",
    ]);
  }
  for (const one of others) {
    if (one.type !== "unseen") continue;
    printError(faultLines(one.error, stderrStyle()));
    printError([`Something may be left in the storage of ${one.provider}: run recover again once it can be seen.`]);
  }
}

const describeAwaited = ({ id, deletedAt, snapshots }: Extract<Leftover, { type: "awaited" }>): string =>
  `${snapshots.map(({ by, snapshot }) => `${snapshot.id} of ${by.instance}`).join(", ")}: set ${id}, deleted ${instant(deletedAt)}`;

const describeUnrecorded = ({ id, createdAt, snapshots }: Extract<Leftover, { type: "unrecorded" }>): string =>
  `${snapshots.map(({ snapshot }) => snapshot.id).join(", ")} of set ${id}, made ${instant(createdAt)}`;

/** Of those that can be undone. */
type Undoable = Exclude<Leftover, { type: "awaited" | "unseen" }>;

const isUndoable = (one: Leftover): one is Undoable => one.type !== "awaited" && one.type !== "unseen";

function willDo(leftover: Undoable): string {
  if (leftover.type === "unreadable")
    return `release what transaction ${leftover.id} still holds, whose journal cannot be read`;
  if (leftover.type === "voted")
    return `ask etcd for the verdict on set ${leftover.id} of several hosts, begun ${instant(leftover.begunAt)}, and keep or undo it`;
  if (leftover.type === "unrecorded") return `make a record of ${describeUnrecorded(leftover)}`;
  if (leftover.type === "exposure")
    return `unexpose set ${leftover.id}, of which an exposure is left that its record does not name`;
  if (leftover.type === "restore")
    return `remove what a process that died while it restored set ${leftover.id} has left beside ${leftover.drafts.map((draft) => path.dirname(draft)).join(", ")}`;
  if (leftover.type === "expired") {
    const { id, createdAt, lease } = leftover;
    return `delete set ${id} of ${instant(createdAt)}, whose lease ended with process ${lease.pid}`;
  }
  if (leftover.type === "snapshot") {
    const { provider, snapshot, deletedAt } = leftover;
    const why = deletedAt === undefined ? "which no record names" : `whose set was deleted ${instant(deletedAt)}`;
    return `remove snapshot ${snapshot.id} of ${provider}, made ${instant(snapshot.createdAt)}, ${why}`;
  }
  const { id, begunAt, owed, held } = leftover;
  const owing = owed.length === 0 ? "which left its journal" : `with ${owed.map(({ who }) => who.instance).join(", ")}`;
  const release = held.length === 0 ? "" : `, and release ${held.join(", ")}`;
  return `undo transaction ${id}, begun ${instant(begunAt)}, ${owing}${release}`;
}
