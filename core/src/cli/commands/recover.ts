import { exit } from "../../base/errors/exit.js";
import type { Leftover } from "../../engine/types.js";
import { command, noOperands } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { residueLine } from "../render/fault.js";
import { fitted } from "../terminal/style.js";
import { instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

export const recoverCommand = command({
  usage: "[--dry-run] [--yes]",
  about:
    "Looks for transactions that died or could not undo everything, for snapshots that no record names, and for sets whose requester is gone; lets the applications go on and removes what is left.",
  operands: noOperands,
  options: {
    "dry-run": { type: "flag", about: "only look" },
    yes: { type: "flag", short: "y", about: "do not ask" },
  },
  examples: [
    { line: "holdstill recover --dry-run", does: "what is left" },
    { line: "holdstill recover --yes", does: "for a unit that runs at boot" },
  ],
  async run(call) {
    const requester = await call.connect("workers");
    const leftovers = await requester.leftovers();
    const isJson = call.form === "json";
    const will = leftovers.map((leftover) => willDo(visible(leftover)));
    if (leftovers.length === 0 || call.values["dry-run"]) {
      if (isJson) printDocument("recover", { leftovers, done: [], residue: [] });
      else if (will.length > 0) print(["This is left:", ...fittedLines(will.map((line) => `  ${line}`))]);
      else if (!call.quiet) print(["Nothing is left over."]);
      return 0;
    }
    if (!(await isConfirmed(will, call.values.yes, call))) return exit.interrupted;
    const { done, residue } = await requester.recover(leftovers);
    if (isJson) printDocument("recover", { leftovers, done, residue });
    else {
      if (!call.quiet) print(fittedLines(done.map((leftover) => `Done: ${willDo(visible(leftover))}.`)));
      const look = stderrStyle();
      for (const left of residue)
        printError([
          `holdstill: ${look.paint("red", residueLine(visible(left)))}`,
          ...(left.error.hint === undefined ? [] : [`→ ${left.error.hint}`]),
        ]);
    }
    return residue.length > 0 ? exit.residue : 0;
  },
});

const fittedLines = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => fitted(line, stdoutStyle().columns));

function willDo(leftover: Leftover): string {
  if (leftover.type === "exposure") return `unexpose set ${leftover.id}, which somebody who died was showing`;
  if (leftover.type === "expired") {
    const { id, createdAt, lease } = leftover;
    return `delete set ${id} of ${instant(createdAt)}, whose requester (pid ${lease.pid}) is gone`;
  }
  if (leftover.type === "snapshot") {
    const { provider, snapshot } = leftover;
    return `remove snapshot ${snapshot.id} of ${provider}, made ${instant(snapshot.createdAt)}, which no set names`;
  }
  const { id, begunAt, owed, held } = leftover;
  const whom = owed.length === 0 ? "its record" : `with ${owed.map(({ who }) => who.instance).join(", ")}`;
  const release = held.length === 0 ? "" : `, and release ${held.join(", ")}`;
  return `undo transaction ${id}, begun ${instant(begunAt)}, ${whom}${release}`;
}
