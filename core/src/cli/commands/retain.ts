import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { described } from "../render/set.js";
import { instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";
import { spanOf } from "../parse/time-span.js";

export const retain = command({
  usage: "SET WHEN [--yes]",
  about:
    "Lets nobody delete or prune the set before WHEN: a date (2027-01-31, or with a time, ISO 8601), or a span from now (30d). `now` ends that. An earlier date than before is asked about. Each change leaves a line in the state directory's audit.jsonl.",
  operands: { name: "SET and a WHEN", min: 2, max: 2 },
  options: { yes: { type: "flag", short: "y", about: "do not ask" } },
  examples: [
    { line: "holdstill retain nightly 30d", does: "prune and delete leave it alone for 30 days" },
    { line: "holdstill retain nightly now --yes", does: "it may go again" },
  ],
  async run(call) {
    const [key = "", when = ""] = call.operands;
    const until = instantOf(when, new Date());
    const requester = await call.open("catalog");
    const set = requester.show(key);
    const isEarlier = set.retainUntil !== undefined && until.toISOString() < set.retainUntil;
    const will = `hold ${described(visible(set))} until ${instant(until.toISOString())}, not ${instant(set.retainUntil ?? "")}`;
    if (isEarlier && !(await isConfirmed([will], call.values.yes, call))) return exit.interrupted;
    const held = await requester.retain(set.id, until);
    if (call.form === "json") printDocument("retain", held);
    else if (!call.quiet) print([`Set ${set.id} is held until ${instant(until.toISOString())}.`]);
    return 0;
  },
});

function instantOf(text: string, now: Date): Date {
  if (text === "now") return now;
  if (/^[\dhdwy]+$/.test(text)) return new Date(now.getTime() + spanOf(text, "WHEN"));
  const date = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new UsageError(`\`${text}\` is no date.`, "Write 2027-01-31, 2027-01-31T04:00:00Z, 30d, or now.");
}
