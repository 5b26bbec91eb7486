import { command, noOperands } from "../command.js";
import { errLook, outLook, print, printDocument, tell } from "../output.js";
import { findingLine } from "../render/fault.js";
import { dim, styleOf } from "../render/look.js";
import { type Cell, tableLines } from "../render/table.js";
import { bytes, instant } from "../render/units.js";
import type { SnapshotSet } from "../../schema/types.js";
import { spelled, visible } from "../render/visible.js";

export const list = command({
  usage: "",
  about: "The sets in the catalog, oldest first. Records that cannot be read are named on stderr and left alone.",
  operands: noOperands,
  options: {},
  examples: [
    { line: "holdstill list", does: "a table" },
    { line: "holdstill list --quiet", does: "the ids, one a line" },
    { line: "holdstill list --json", does: "{ sets, damaged }" },
  ],
  async run({ form, quiet, open }) {
    const requester = await open("catalog");
    const { sets, damaged } = requester.list();
    if (form === "json") {
      printDocument({ sets, damaged });
      return 0;
    }
    if (quiet) print(sets.map(({ id }) => id));
    else print(sets.length === 0 ? ["There are no snapshot sets."] : listLines(sets));
    for (const { file, findings } of visible(damaged))
      tell([
        `${errLook().paint("yellow", "damaged record:")} ${file}`,
        ...findings.map((finding) => `  ${findingLine(finding)}`),
      ]);
    return 0;
  },
});

function listLines(sets: readonly SnapshotSet[]): string[] {
  const look = outLook();
  const head = ["SET", "NAME", "CREATED", "CONSISTENCY", "SIZE", "TARGETS"].map((text): Cell => ({
    text,
    style: "dim",
  }));
  const rows = sets.map(({ id, name = "", createdAt, consistency, snapshots, targets }): Cell[] => [
    id,
    spelled(name),
    spelled(instant(createdAt)),
    { text: consistency, style: styleOf(consistency) },
    sizeOf(snapshots),
    spelled(targets.join(" ")),
  ]);
  const hasNames = sets.some(({ name }) => name !== undefined);
  const shown = [head, ...rows].map((row) => (hasNames ? row : row.filter((_, column) => column !== 1)));
  return [
    ...tableLines(shown, look, { right: [hasNames ? 4 : 3], indent: 0 }),
    ...(process.stdout.isTTY ? [dim(look, "`holdstill show SET` has the rest; `latest` is the last one.")] : []),
  ];
}

/** What the snapshots take of their own; nothing where a provider does not know. */
function sizeOf(snapshots: SnapshotSet["snapshots"]): string {
  const sizes = snapshots.flatMap(({ snapshot }) => snapshot.bytes ?? []);
  return sizes.length < snapshots.length || sizes.length === 0 ? "" : bytes(sizes.reduce((sum, size) => sum + size, 0));
}
