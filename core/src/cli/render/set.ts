import type { Plan } from "../../plan/plan.js";
import { FULL_PERCENT } from "../../engine/usage/usage.js";
import type { Component, RecordedWriter, SnapshotSet } from "../../base/schema/types.js";
import { bold, dim, type TerminalStyle, styleOf, wrapText } from "../terminal/style.js";
import { type Cell, tableLines } from "./table.js";
import { timelineLines } from "./timeline.js";
import { bytes, count, duration, instant } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

/** What create says of a set that was made. */
export function summaryLines(made: SnapshotSet, look: TerminalStyle): string[] {
  const set = visible(made);
  const { id, name, cut, asked, consistency, frozenMs } = set;
  const achieved = look.paint(styleOf(consistency), consistency);
  const still = frozenMs > 0 ? `; frozen for ${duration(frozenMs)}` : "";
  return [
    `${bold(look, `Set ${id}`)}${name === undefined ? "" : ` (${name})`}, ${instant(set.createdAt)}`,
    `Consistency ${achieved}, asked ${asked}; cut ${cut}${still}`,
    ...section("Components", componentLines(set.components, look), look),
    ...section("Snapshots", snapshotLines(set, look), look),
    ...section("Gone", lostLines(set.snapshots, look), look),
    ...section("Room, as of now", roomLines(set.snapshots, look), look),
  ];
}

/** A set in half a line: what a command is about to act on. */
export function described({ id, name, createdAt, snapshots }: SnapshotSet): string {
  const named = name === undefined ? "" : ` (${name})`;
  return `set ${id}${named} of ${instant(createdAt)} with ${count(snapshots.length, "snapshot")}`;
}

/** Everything readable. */
export function setLines(recorded: SnapshotSet, look: TerminalStyle): string[] {
  const set = visible(recorded);
  const { host, holdstill, targets, tags, writers, outcome, retainUntil } = set;
  const timeline = timelineLines(set.timeline, look);
  const tagText = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return [
    ...summaryLines(set, look),
    ...section(
      "Writers",
      writers.flatMap((writer) => writerLines(writer, look)),
      look,
    ),
    ...section("Exposed", exposedLines(set, look), look),
    ...section("Volumes", volumeLines(set, look), look),
    ...section(
      "Facts",
      set.components.flatMap(({ writer, component }) => componentFacts(writer, component, look)),
      look,
    ),
    ...section("Made by", [`  holdstill ${holdstill} on ${host}`], look),
    ...section(
      "Targets",
      targets.map((target) => `  ${target}`),
      look,
    ),
    ...section(
      "Tags",
      tagText.map((tag) => `  ${tag}`),
      look,
    ),
    ...(outcome === undefined
      ? []
      : section(
          "Backup",
          [`  ${outcome.succeeded ? "succeeded" : "failed"}, ${outcome.type}, ${instant(outcome.at)}`],
          look,
        )),
    ...section("Verified", verifiedLines(set, look), look),
    ...(retainUntil === undefined ? [] : section("Held", [`  until ${instant(retainUntil)}`], look)),
    ...timeline.flatMap((line, at) => (at === 0 ? ["", line] : [line])),
  ];
}

/** Of a set, what was reached and why not more; of a plan, what is promised. */
export function componentLines(
  components: readonly {
    writer: string | null;
    component: Component;
    consistency: Plan["promised"];
    reason?: string | undefined;
  }[],
  look: TerminalStyle,
): string[] {
  const rows = components.map(({ writer, component, consistency, reason = "" }): Cell[] => [
    nameOf(writer, component),
    { text: consistency, style: styleOf(consistency) },
    reason,
  ]);
  return tableLines(rows, look);
}

/** What no writer owns has no name of its own: its path is shown. */
const nameOf = (writer: string | null, { name, paths }: Component): string =>
  writer === null ? paths.join(" ") : `${writer}/${name}`;

/** A title and its lines; nothing where there are none. */
export function section(title: string, lines: readonly string[], look: TerminalStyle): string[] {
  return lines.length === 0 ? [] : ["", bold(look, title), ...lines];
}

function snapshotLines({ snapshots, volumes }: SnapshotSet, look: TerminalStyle): string[] {
  const rows = snapshots.map(({ by, snapshot }): Cell[] => [
    by.instance,
    snapshot.method ?? "",
    snapshot.bytes === undefined ? "" : bytes(snapshot.bytes),
    snapshot.id,
    `of ${volumes.find(({ id }) => id === snapshot.volumeId)?.mountPoint ?? snapshot.volumeId}`,
  ]);
  return tableLines(rows, look, { right: [2] });
}

/** What cannot be shown any more, as far as the record or the providers say so. */
function lostLines(snapshots: SnapshotSet["snapshots"], look: TerminalStyle): string[] {
  const rows = snapshots.flatMap(({ snapshot: { id, lost } }): Cell[][] =>
    lost === undefined ? [] : [[id, { text: "✗ lost", style: "red" }, lost]],
  );
  return tableLines(rows, look);
}

/** How full what the snapshots take changes to is; where the providers were asked. */
function roomLines(snapshots: SnapshotSet["snapshots"], look: TerminalStyle): string[] {
  const rows = snapshots.flatMap(({ snapshot: { id, usage: fill } }): Cell[][] =>
    fill === undefined ? [] : [[id, usageCell(fill.percent), `of ${fill.where}`]],
  );
  return tableLines(rows, look);
}

export function usageCell(percent: number): Cell {
  const text = `${Math.round(percent)} %`;
  return percent < FULL_PERCENT ? text : { text, style: "yellow" };
}

function writerLines(
  { by, policy, state, reason, frozen, facts, sidecar }: RecordedWriter,
  look: TerminalStyle,
): string[] {
  const when = frozen === undefined ? "" : ` from ${duration(frozen.since)} to ${duration(frozen.until)}`;
  const head = `  ${by.instance} (${by.plugin} ${by.version}), ${policy}: `;
  const mark = state === "frozen" ? state : look.paint("red", `✗ ${state}`);
  return [
    `${head}${mark}${when}`,
    ...wrapText(reason ?? "", look.columns - 4).flatMap((line) => (line === "" ? [] : [`    ${line}`])),
    ...factLines(facts, look),
    ...(sidecar === undefined ? [] : [dim(look, `    files in ${sidecar.dir}`)]),
    ...tableLines(
      (sidecar?.files ?? []).map(({ path, bytes: size, sha256 }) => [
        path,
        bytes(size),
        `sha256 ${sha256.slice(0, 16)}…`,
      ]),
      look,
      { right: [1], indent: 6 },
    ),
  ];
}

export function verifiedLines({ verified = [] }: SnapshotSet, look: TerminalStyle): string[] {
  const rows = verified.map(({ writer, ok, at, reason = "" }): Cell[] => [
    writer,
    ok ? { text: "opens", style: "green" } : { text: "✗ does not open", style: "red" },
    instant(at),
    reason,
  ]);
  return tableLines(rows, look);
}

export function exposedLines(set: SnapshotSet, look: TerminalStyle): string[] {
  const { exposed = [], snapshots, exposedAt: mirror } = visible(set);
  const forks = new Map(snapshots.map(({ snapshot }) => [snapshot.id, snapshot.of]));
  const forked = new Set(forks.values());
  const rows = exposed.flatMap(({ snapshot, exposed: { trees, readOnly } }) => {
    const kind = forks.get(snapshot) === undefined ? (forked.has(snapshot) ? ["as it was cut"] : []) : ["repaired"];
    return trees.map((tree) => [tree.original, ...kind, readOnly ? "read-only" : "writable", tree.path]);
  });
  const all = mirror === undefined ? [] : [`  all below ${mirror}, at their original paths`];
  return [...tableLines(rows, { ...look, columns: Infinity }), ...all];
}

function volumeLines({ volumes }: SnapshotSet, look: TerminalStyle): string[] {
  return tableLines(
    volumes.map(({ mountPoint, fsType, source, id }) => [mountPoint, fsType, source, id]),
    look,
  );
}

function componentFacts(writer: string | null, component: Component, look: TerminalStyle): string[] {
  const lines = factLines(component.facts, look);
  return lines.length === 0 ? [] : [`  ${nameOf(writer, component)}`, ...lines];
}

function factLines(facts: Record<string, unknown> | undefined, look: TerminalStyle): string[] {
  return Object.entries(facts ?? {}).flatMap(([key, value]) =>
    wrapText(`${key}: ${typeof value === "string" ? value : spaced(value)}`, look.columns - 6).map(
      (line, at) => `${at === 0 ? "    " : "      "}${line}`,
    ),
  );
}

/** JSON on one line that can be broken at blanks. */
const spaced = (value: unknown): string => (JSON.stringify(value, null, 1) ?? "").replaceAll(/\n\s*/g, " ");
