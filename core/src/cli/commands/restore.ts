import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import type { RestoreStep } from "../../engine/restore/restore-plan.js";
import { type CommandCall, command } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { interruption } from "../live/interrupt.js";
import { stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { fitted } from "../terminal/style.js";
import { visible } from "../../base/display/visible.js";
import { reportRestore } from "./parts/restored.js";

export const restoreCommand = command({
  usage: "SET [COMPONENT…] [--to DIR] [--dry-run] [--yes]",
  about:
    "Copies the snapshots back to where the data was, all components or the named ones: WRITER, WRITER/COMPONENT, or a path. Their writers must say first that the application is down. What is there now is kept beside it, as NAME.before-SET. With --to everything goes below DIR, with the record and the writers' files in DIR/.holdstill, and nothing else is touched.",
  operands: { name: "SET", min: 1, max: Infinity },
  options: {
    to: { type: "text", value: "DIR", about: "below this folder, not over the originals" },
    "dry-run": { type: "flag", about: "only say what would be done" },
    yes: { type: "flag", short: "y", about: "do not ask" },
  },
  examples: [
    { line: "holdstill restore latest --dry-run", does: "what would go where" },
    { line: "holdstill restore nightly pg-main --yes", does: "one application, after it was stopped" },
    { line: "holdstill restore nightly /srv/www --to /tmp/look", does: "to look at it" },
  ],
  async run(call) {
    const [key = "", ...names] = call.operands;
    const { to, yes, "dry-run": dry } = call.values;
    const requester = await call.open(dry ? "catalog" : "workers");
    const plan = await requester.planRestore(key, names, to === undefined ? null : path.resolve(to));
    const will = visible(plan.steps).map((step) => willDo(step));
    if (dry) {
      if (call.form === "json") printDocument("restore", plan);
      else print(["This would:", ...will.flatMap((line) => fitted(`  ${line}`, stdoutStyle().columns))]);
      return 0;
    }
    if (!(await isConfirmed(will, yes, call))) return exit.interrupted;
    return withSignals(call, async (signal) => reportRestore(await requester.restore(plan, signal), call));
  },
});

function willDo({ component, original, to, aside }: RestoreStep): string {
  const kept = aside === null ? "" : `, and keep what is there as ${aside}`;
  return `copy the snapshot of ${original} (${component}) to ${to}${kept}`;
}

async function withSignals<T>({ quiet, form }: CommandCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, end } = interruption((text) =>
    quiet || form === "json" ? undefined : printError([`holdstill: ${text}`]),
  );
  try {
    return await work(signal);
  } finally {
    end();
  }
}
