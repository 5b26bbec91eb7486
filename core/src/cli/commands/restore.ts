import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import type { RestoreStep } from "../../base/schema/types.js";
import { planRestore } from "../../engine/restore/restore-plan.js";
import { command } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { fitted } from "../terminal/style.js";
import { visible } from "../../base/display/visible.js";
import { reportRestore } from "./parts/restored.js";
import { withSignals } from "./parts/with-signals.js";
import { yesOption } from "./parts/yes.js";

export const restoreCommand = command({
  about:
    "Copies the contents of the set back to the original paths. A COMPONENT is WRITER, WRITER/COMPONENT, or a path; the default is all. The applications must be stopped, which their writers check first. The present data is kept beside it, as NAME.before-SET. With --to, everything is restored below DIR, with the record and the files of the writers in DIR/.holdstill. Nothing else is changed.",
  operands: [{ name: "SET" }, { name: "COMPONENT", repeat: "any-number" }],
  options: {
    to: { type: "text", value: "DIR", about: "restore below this folder, not to the original paths" },
    "as-cut": {
      type: "flag",
      about: "the snapshots as they were cut, not as their writers repaired them, also with --to: for a point in time",
    },
    "dry-run": { type: "flag", about: "show what would be done, and change nothing" },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill restore latest --dry-run", does: "shows what would be copied where" },
    { line: "holdstill restore nightly pg-main --yes", does: "one application, which is stopped" },
    { line: "holdstill restore nightly /srv/www --to /tmp/look", does: "one folder, to inspect it" },
  ],
  async run(call) {
    const [key = "", ...names] = call.operands;
    const { to, yes, "dry-run": dry, "as-cut": asCut } = call.values;
    const contents = asCut ? "as-cut" : "repaired";
    const folder = to === undefined ? null : path.resolve(to);
    if (dry) {
      const plan = planRestore((await call.open("catalog")).show(key), names, folder, contents);
      const will = visible(plan.steps).map((step) => willDo(step));
      if (call.form === "text")
        print(["This would:", ...will.flatMap((line) => fitted(`  ${line}`, stdoutStyle().columns))]);
      if (plan.where === "in-place" && plan.writers.length > 0) await (await call.open("workers")).checkRestore(plan);
      if (call.form === "json") printDocument("restore", plan);
      return 0;
    }
    const engine = await call.open("workers");
    const plan = engine.planRestore(key, names, folder, contents);
    const will = visible(plan.steps).map((step) => willDo(step));
    if (!(await isConfirmed(will, yes, call))) return exit.interrupted;
    return withSignals(call, async (signal) => reportRestore(await engine.restore(plan, signal), call));
  },
});

function willDo({ component, original, to, aside }: RestoreStep): string {
  const kept = aside === null ? "" : `, and keep the present data as ${aside}`;
  return `copy the contents of ${original} (${component}) to ${to}${kept}`;
}
