import type { Period, Retention, RetentionVerdict } from "../../store/retention.js";
import { exit } from "../../base/errors/exit.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { command, noOperands } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { printDamaged } from "../render/damaged.js";
import { UsageError } from "../parse/usage-error.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { withUsageOf } from "./parts/usage.js";
import { yesOption } from "./parts/yes.js";
import { exitOfRemoval, type Removed, printRemoval } from "./parts/removal.js";
import { described } from "../render/set.js";
import { tableLines } from "../render/table.js";
import { spelled, visible } from "../../base/display/visible.js";
import { tagsOf } from "../parse/request.js";
import { spanOf } from "../parse/time-span.js";

const periods: readonly Period[] = ["hourly", "daily", "weekly", "monthly", "yearly"];

export const prune = command({
  about:
    "Deletes the sets that no rule keeps. The rules apply to each group of sets with the same user and targets. Leased sets do not count. A set that is lost, does not open, or is below the consistency that was asked for never takes the place of a sound one. A rule by period keeps the newest set of each of the last N such periods that have one. Sets that are retained, exposed, or leased always stay. So does a record that cannot be read; prune reports it.",
  operands: noOperands,
  options: {
    "keep-last": { type: "text", value: "N", about: "keep the newest N sets" },
    "keep-hourly": { type: "text", value: "N", about: "keep the newest set of each of N hours" },
    "keep-daily": { type: "text", value: "N", about: "keep the newest set of each of N days" },
    "keep-weekly": { type: "text", value: "N", about: "keep the newest set of each of N weeks, which begin on Monday" },
    "keep-monthly": { type: "text", value: "N", about: "keep the newest set of each of N months" },
    "keep-yearly": { type: "text", value: "N", about: "keep the newest set of each of N years" },
    "keep-within": {
      type: "text",
      value: "SPAN",
      about: "keep sets that are at most SPAN (36h, 14d, 2w) older than the newest",
    },
    name: { type: "text", value: "NAME", about: "prune only sets with this name" },
    tag: { type: "list", value: "KEY=VALUE", about: "prune only sets with this tag" },
    "trust-clock": {
      type: "flag",
      about: "the times of all sets are right, although the clock has jumped; root only",
    },
    "dry-run": { type: "flag", about: "show what would be deleted, and why the others stay" },
    yes: yesOption,
  },
  groups: [
    {
      need: "at-least-one",
      options: ["keep-last", "keep-hourly", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly", "keep-within"],
    },
  ],
  examples: [
    { line: "holdstill prune --keep-daily 7 --keep-weekly 4 --dry-run", does: "each set, and the rule that keeps it" },
    { line: "holdstill prune --keep-last 3 --keep-within 2d --name nightly --yes", does: "for a timer" },
  ],
  async run(call) {
    const { values, form } = call;
    const retention = retentionOf(values);
    const dry = values["dry-run"];
    const engine = await call.connect("workers");
    if (values["trust-clock"]) await (await call.open("catalog")).trustClock();
    const listed = await engine.list();
    // A snapshot may be lost since it was recorded.
    const now = { ...listed, sets: await withUsageOf(engine, listed.sets) };
    const { verdicts, damaged } = await engine.judge(retention, filterOf(values.name, tagsOf(values.tag)), now);
    const go = verdicts.filter(({ kept }) => kept.length === 0).map(({ set }) => set);
    if (dry) {
      const brief = verdicts.map(({ set, kept }) => ({ set: set.id, kept }));
      if (form === "json") printDocument("prune", { verdicts: brief, damaged });
      else {
        print(verdictLines(verdicts));
        printDamaged(damaged);
      }
      return 0;
    }
    const will = go.map((set) => `delete ${described(visible(set))}`);
    if (go.length > 0 && !(await isConfirmed(will, values.yes, call))) return exit.interrupted;
    const removed = go.length === 0 ? nothing : await engine.removeAll(go.map(({ id }) => id));
    if (form === "json") printDocument("prune", { ...removed, damaged });
    else {
      printRemoval(removed, call);
      printDamaged(damaged);
    }
    return exitOfRemoval(removed);
  },
});

const nothing: Removed = { deleted: [], failed: [] };

type Values = Readonly<Record<string, string | boolean | string[] | undefined>>;

function retentionOf(values: Values): Retention {
  const count = (rule: string): number | undefined => countOf(values[`keep-${rule}`], `--keep-${rule}`);
  const last = count("last");
  const counts = periods.flatMap((period) => {
    const n = count(period);
    return n === undefined ? [] : [[period, n] as const];
  });
  const { "keep-within": within } = values;
  return {
    ...(last === undefined ? {} : { last }),
    periods: Object.fromEntries(counts),
    ...(typeof within === "string" ? { withinMs: spanOf(within, "--keep-within") } : {}),
  };
}

function countOf(text: Values[string], option: string): number | undefined {
  if (typeof text !== "string") return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${option}: \`${text}\` is not a number of sets.`, `Write ${option}=7.`);
}

function filterOf(name: string | undefined, tags: Readonly<Record<string, string>>): (set: SnapshotSet) => boolean {
  return (set) =>
    (name === undefined || set.name === name) && Object.entries(tags).every(([key, value]) => set.tags[key] === value);
}

function verdictLines(verdicts: readonly RetentionVerdict[]): string[] {
  if (verdicts.length === 0) return ["There are no snapshot sets."];
  const style = stdoutStyle();
  const rows = verdicts.map(({ set: { id, name = "" }, kept, flaw }) => [
    kept.length === 0 ? ({ text: "delete", style: "red" } as const) : "keep",
    id,
    spelled(name),
    [...kept, ...(flaw === null ? [] : [`flawed: ${flaw}`])].join(", "),
  ]);
  return tableLines(rows, style, { indent: 0 });
}
