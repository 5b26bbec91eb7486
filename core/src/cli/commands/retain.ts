import { instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";
import { exit } from "../../base/errors/exit.js";
import { command, oneSet } from "../parse/command.js";
import { dateOf } from "../parse/time-span.js";
import { described } from "../render/set.js";
import { isConfirmed } from "../terminal/confirm.js";
import { print, printDocument } from "../terminal/output.js";
import { yesOption } from "./parts/yes.js";

export const retain = command({
  about:
    "Protects the set from deletion until DATE: a date (2027-01-31, or with a time, ISO 8601), or a span from now (30d). `now` ends the retention. An earlier date than before asks for confirmation. Each change is recorded in audit.jsonl in the state directory.",
  operands: oneSet,
  options: {
    until: { type: "text", value: "DATE", required: true, about: "a date, a span such as 30d, or now" },
    yes: yesOption,
  },
  examples: [
    { line: "holdstill retain nightly --until 30d", does: "prune and delete refuse to delete it for 30 days" },
    { line: "holdstill retain nightly --until now --yes", does: "ends the retention" },
  ],
  async run(call) {
    const [key = ""] = call.operands;
    const until = dateOf(call.values.until, "--until");
    const engine = await call.open("catalog");
    const set = engine.show(key);
    const isEarlier = set.retainUntil !== undefined && until.toISOString() < set.retainUntil;
    const will = `retain ${described(visible(set))} until ${instant(until.toISOString())} instead of ${instant(set.retainUntil ?? "")}`;
    if (isEarlier && !(await isConfirmed([will], call.values.yes, call))) return exit.interrupted;
    const retained = await engine.retain(set.id, until);
    if (call.form === "json") printDocument("retain", retained);
    else if (!call.quiet) print([`Set ${set.id} is retained until ${instant(until.toISOString())}.`]);
    return 0;
  },
});
