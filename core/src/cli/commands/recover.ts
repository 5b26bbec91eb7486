import { exit } from "../../base/errors/exit.js";
import type { Leftover } from "../../engine/types.js";
import { command, noOperands } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { residueLine } from "../render/fault.js";
import { fitted } from "../terminal/style.js";
import { instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";
import { yesOption } from "./parts/yes.js";

export const recoverCommand = command({
  about:
    "Finds transactions that died or could not undo everything, snapshots that no record names, exposures of processes that died, and sets whose lease has ended. Releases volumes, thaws applications, and removes the rest. Exits with 6 if something still cannot be undone.",
  operands: noOperands,
  options: {
    "dry-run": { type: "flag", about: "show what is left, and change nothing" },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill recover --dry-run", does: "shows what is left" },
    { line: "holdstill recover --yes", does: "for a unit that runs at boot" },
  ],
  async run(call) {
    const engine = await call.connect("workers");
    const leftovers = await engine.leftovers();
    const isJson = call.form === "json";
    const will = leftovers.map((leftover) => willDo(visible(leftover)));
    if (leftovers.length === 0 || call.values["dry-run"]) {
      if (isJson) printDocument("recover", { leftovers, done: [], residue: [] });
      else if (will.length > 0) print(["This is left:", ...fittedLines(will.map((line) => `  ${line}`))]);
      else if (!call.quiet) print(["Nothing is left over."]);
      return 0;
    }
    if (!(await isConfirmed(will, call.values.yes, call))) return exit.interrupted;
    const { done, residue } = await engine.recover(leftovers);
    if (isJson) printDocument("recover", { leftovers, done, residue });
    else {
      if (!call.quiet) print(fittedLines(done.map((leftover) => `Done: ${willDo(visible(leftover))}.`)));
      const style = stderrStyle();
      for (const left of residue)
        printError([
          `holdstill: ${style.paint("red", residueLine(visible(left)))}`,
          ...(left.error.hint === undefined ? [] : [`→ ${left.error.hint}`]),
        ]);
    }
    return residue.length > 0 ? exit.residue : 0;
  },
});

const fittedLines = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => fitted(line, stdoutStyle().columns));

function willDo(leftover: Leftover): string {
  if (leftover.type === "exposure") return `unexpose set ${leftover.id}, which a process that died had exposed`;
  if (leftover.type === "expired") {
    const { id, createdAt, lease } = leftover;
    return `delete set ${id} of ${instant(createdAt)}, whose lease ended with process ${lease.pid}`;
  }
  if (leftover.type === "snapshot") {
    const { provider, snapshot } = leftover;
    return `remove snapshot ${snapshot.id} of ${provider}, made ${instant(snapshot.createdAt)}, which no record names`;
  }
  const { id, begunAt, owed, held } = leftover;
  const owing = owed.length === 0 ? "which left its journal" : `with ${owed.map(({ who }) => who.instance).join(", ")}`;
  const release = held.length === 0 ? "" : `, and release ${held.join(", ")}`;
  return `undo transaction ${id}, begun ${instant(begunAt)}, ${owing}${release}`;
}
