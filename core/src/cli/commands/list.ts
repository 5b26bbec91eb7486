import { command, noOperands } from "../parse/command.js";
import { printDamaged } from "../render/damaged.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { withUsageOf, usageOption } from "./parts/usage.js";
import { dim, styleOf } from "../terminal/style.js";
import { usageCell } from "../render/set.js";
import { type Cell, tableLines } from "../render/table.js";
import { age, bytes } from "../../base/display/units.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { spelled } from "../../base/display/visible.js";

export const list = command({
  about:
    "Lists the sets in the catalog, oldest first. Records that cannot be read are reported on stderr, and left unchanged.",
  operands: noOperands,
  options: { usage: usageOption },
  examples: [
    { line: "holdstill list", does: "a table" },
    { line: "holdstill list --usage", does: "also how full the space of each set is" },
    { line: "holdstill list --quiet", does: "the ids, one per line" },
    { line: "holdstill list --json", does: "{ sets, damaged }" },
  ],
  async run({ form, quiet, values: { usage }, connect }) {
    const engine = await connect(usage ? "workers" : "catalog");
    const { sets: recorded, damaged } = await engine.list();
    const sets = usage && "withUsage" in engine ? await withUsageOf(engine, recorded) : recorded;
    if (form === "json") {
      printDocument("list", { sets, damaged });
      return 0;
    }
    if (quiet) print(sets.map(({ id }) => id));
    else print(sets.length === 0 ? ["There are no snapshot sets."] : listLines(sets));
    printDamaged(damaged);
    return 0;
  },
});

interface Column {
  head: string;
  cell: (set: SnapshotSet) => Cell;
  /** Numbers. */
  right?: true;
  /** Not shown if no set has it. */
  optional?: true;
}

const columns: readonly Column[] = [
  { head: "SET", cell: ({ id }) => id },
  { head: "NAME", cell: ({ name = "" }) => spelled(name), optional: true },
  { head: "USER", cell: ({ requester }) => userOf(requester), optional: true },
  { head: "AGE", cell: ({ createdAt }) => age(Date.now() - Date.parse(createdAt)), right: true },
  { head: "CONSISTENCY", cell: ({ consistency: text }) => ({ text, style: styleOf(text) }) },
  { head: "SIZE", cell: ({ snapshots }) => sizeOf(snapshots), right: true },
  { head: "USED", cell: ({ snapshots }) => usageOf(snapshots), right: true, optional: true },
  { head: "EXPOSED", cell: exposedOf, optional: true },
  { head: "TARGETS", cell: ({ targets }) => spelled(targets.join(" ")) },
];

function listLines(sets: readonly SnapshotSet[]): string[] {
  const style = stdoutStyle();
  const all = columns.map((column) => ({ ...column, cells: sets.map((set) => column.cell(set)) }));
  const shown = all.filter(({ optional, cells }) => optional !== true || cells.some((cell) => cell !== ""));
  const rows = [
    shown.map(({ head }): Cell => ({ text: head, style: "dim" })),
    ...sets.map((_, row) => shown.map(({ cells }) => cells[row] ?? "")),
  ];
  const right = shown.flatMap((column, at) => (column.right === true ? [at] : []));
  return [
    ...tableLines(rows, style, { right, indent: 0 }),
    ...(sets.some(isUnfinished)
      ? [dim(style, "creating: the storage had not finished. `holdstill list --usage` asks it.")]
      : []),
    ...(process.stdout.isTTY ? [dim(style, "`holdstill show SET` shows more. `latest` is the newest set.")] : []),
  ];
}

const isUnfinished = ({ snapshots }: Pick<SnapshotSet, "snapshots">): boolean =>
  snapshots.some(({ snapshot }) => snapshot.state === "creating");

function exposedOf({ exposed = [] }: SnapshotSet): string {
  if (exposed.length === 0) return "";
  return exposed.every(({ exposed: { readOnly } }) => readOnly) ? "read-only" : "writable";
}

/** Empty for root, and for the user that runs holdstill. */
const userOf = (requester: SnapshotSet["requester"]): string =>
  requester === undefined || requester.uid === 0 ? "" : String(requester.uid);

/** Of the fullest snapshot; a lost one comes first, and then one that could not be seen. */
function usageOf(snapshots: SnapshotSet["snapshots"]): Cell {
  if (snapshots.some(({ snapshot }) => snapshot.lost !== undefined)) return { text: "✗ lost", style: "red" };
  if (snapshots.some(({ snapshot }) => snapshot.unseen !== undefined)) return { text: "? unknown", style: "yellow" };
  const percents = snapshots.flatMap(({ snapshot }) => snapshot.usage?.percent ?? []);
  return percents.length === 0 ? "" : usageCell(Math.max(...percents));
}

/** What the snapshots take in all, once they are finished; empty if a provider does not know. */
function sizeOf(snapshots: SnapshotSet["snapshots"]): string {
  if (isUnfinished({ snapshots })) return "creating";
  const sizes = snapshots.flatMap(({ snapshot }) => snapshot.bytes ?? []);
  return sizes.length < snapshots.length || sizes.length === 0 ? "" : bytes(sizes.reduce((sum, size) => sum + size, 0));
}
