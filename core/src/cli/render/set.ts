import type { Plan } from "../../plan/plan.js";
import { FULL_PERCENT } from "../../engine/usage/usage.js";
import { volumeKind, volumeName } from "../../base/display/volume-name.js";
import type { Component, RecordedWriter, SnapshotSet } from "../../base/schema/types.js";
import { bold, dim, fitted, type TerminalStyle, styleOf, wrapText } from "../terminal/style.js";
import { type Cell, tableLines } from "./table.js";
import { timelineLines } from "./timeline.js";
import { bytes, count, duration, instant } from "../../base/display/units.js";
import { freezeMethod } from "../../base/display/freeze-method.js";
import { backupWords } from "../../base/display/verdict.js";
import { visible } from "../../base/display/visible.js";

/** What create prints of a set. */
export function summaryLines(made: SnapshotSet, style: TerminalStyle): string[] {
  const set = visible(made);
  const { id, name, cut, asked, consistency, frozenMs } = set;
  const achieved = style.paint(styleOf(consistency), consistency);
  const method = freezeMethod(set);
  const frozen = frozenMs > 0 ? `; frozen for ${duration(frozenMs)}${method === "" ? "" : ` (${method})`}` : "";
  return [
    `${bold(style, `Set ${id}`)}${name === undefined ? "" : ` (${name})`}, ${instant(set.createdAt)}`,
    ...fitted(`Consistency ${achieved}, asked ${asked}; cut ${cut}${frozen}`, style.columns),
    ...section("Components", componentLines(set.components, style), style),
    ...section("Snapshots", snapshotLines(set, style), style),
    ...section("Repaired", repairedLines(set, style), style),
    ...section("Lost", lostLines(set.snapshots, style), style),
    ...section("Unknown", unseenLines(set.snapshots, style), style),
    ...section("Space used now", usageLines(set.snapshots, style), style),
  ];
}

/** A set in half a line, for a question before the command acts on it. */
export function described({ id, name, createdAt, snapshots, requester }: SnapshotSet): string {
  const named = name === undefined ? "" : ` (${name})`;
  const taken = requester === undefined || requester.uid === 0 ? "" : `, taken by user ${requester.uid}`;
  return `set ${id}${named} of ${instant(createdAt)} with ${count(snapshots.length, "snapshot")}${taken}`;
}

/** Everything readable. */
export function setLines(recorded: SnapshotSet, style: TerminalStyle): string[] {
  const set = visible(recorded);
  const { host, holdstill, targets, tags, writers, outcome, retainUntil, imported } = set;
  const timeline = timelineLines(set.timeline, style);
  const tagText = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return [
    ...summaryLines(set, style),
    ...section(
      "Writers",
      writers.flatMap((writer) => writerLines(writer, style)),
      style,
    ),
    ...section(
      "Not captured",
      (set.notCaptured ?? []).map((point) => `  ${point}`),
      style,
    ),
    ...section("Exposed", exposedLines(set, style), style),
    ...section("Volumes", volumeLines(set, style), style),
    ...section(
      "Facts",
      set.components.flatMap(({ writer, component }) => componentFacts(writer, component, style)),
      style,
    ),
    ...section(
      "Made by",
      [`  holdstill ${holdstill} on ${host}${imported === undefined ? "" : `, imported ${instant(imported.at)}`}`],
      style,
    ),
    ...section(
      "Targets",
      targets.map((target) => `  ${target}`),
      style,
    ),
    ...section(
      "Tags",
      tagText.map((tag) => `  ${tag}`),
      style,
    ),
    ...(outcome === undefined
      ? []
      : section("Backup", [`  ${backupWords(outcome)}; ${outcome.type}, ${instant(outcome.at)}`], style)),
    ...section("Verified", verifiedLines(set, style), style),
    ...(retainUntil === undefined ? [] : section("Retained", [`  until ${instant(retainUntil)}`], style)),
    ...timeline.flatMap((line, at) => (at === 0 ? ["", line] : [line])),
  ];
}

/** Of a set, the consistency that was reached, with the reason if it is lower than promised; of a plan, the promise. */
export function componentLines(
  components: readonly {
    writer: string | null;
    component: Component;
    consistency: Plan["promised"];
    reason?: string | undefined;
  }[],
  style: TerminalStyle,
): string[] {
  const rows = components.map(({ writer, component, consistency, reason = "" }): Cell[] => [
    nameOf(writer, component),
    { text: consistency, style: styleOf(consistency) },
    reason,
  ]);
  return tableLines(rows, style);
}

/** Files without a writer have no name: their path is shown. */
const nameOf = (writer: string | null, { name, paths }: Component): string =>
  writer === null ? paths.join(" ") : `${writer}/${name}`;

/** A title and its lines; empty if there are no lines. */
export function section(title: string, lines: readonly string[], style: TerminalStyle): string[] {
  return lines.length === 0 ? [] : ["", bold(style, title), ...lines];
}

function snapshotLines({ snapshots, volumes }: SnapshotSet, style: TerminalStyle): string[] {
  const names = new Map(volumes.map((volume) => [volume.id, volumeName(volume)]));
  const rows = snapshots.map(({ by, snapshot }): Cell[] => [
    by.instance,
    snapshot.method ?? "",
    snapshot.state === "creating" ? "creating" : snapshot.bytes === undefined ? "" : bytes(snapshot.bytes),
    snapshot.id,
    `of ${names.get(snapshot.volumeId) ?? snapshot.volumeId}`,
  ]);
  const isUnfinished = snapshots.some(({ snapshot }) => snapshot.state === "creating");
  return [
    ...tableLines(rows, style, { right: [2] }),
    ...(isUnfinished ? ["  creating: the storage had not finished. `holdstill show SET --usage` asks it."] : []),
  ];
}

/** Snapshots that can no longer be read, according to the record or the providers. */
function lostLines(snapshots: SnapshotSet["snapshots"], style: TerminalStyle): string[] {
  const rows = snapshots.flatMap(({ snapshot: { id, lost } }): Cell[][] =>
    lost === undefined ? [] : [[id, { text: "✗ lost", style: "red" }, lost]],
  );
  return tableLines(rows, style);
}

/** Snapshots of which it is not known whether they exist. */
function unseenLines(snapshots: SnapshotSet["snapshots"], style: TerminalStyle): string[] {
  const rows = snapshots.flatMap(({ snapshot: { id, unseen } }): Cell[][] =>
    unseen === undefined ? [] : [[id, { text: "? unknown", style: "yellow" }, unseen]],
  );
  return tableLines(rows, style);
}

/** How full the space of each snapshot is; only if the providers were asked. */
function usageLines(snapshots: SnapshotSet["snapshots"], style: TerminalStyle): string[] {
  const rows = snapshots.flatMap(({ snapshot: { id, usage } }): Cell[][] =>
    usage === undefined ? [] : [[id, usageCell(usage.percent), `of ${usage.where}`]],
  );
  return tableLines(rows, style);
}

export function usageCell(percent: number): Cell {
  const text = `${Math.round(percent)} %`;
  return percent < FULL_PERCENT ? text : { text, style: "yellow" };
}

function writerLines(
  { by, policy, state, reason, frozen, facts, sidecar }: RecordedWriter,
  style: TerminalStyle,
): string[] {
  const when = frozen === undefined ? "" : ` from ${duration(frozen.since)} to ${duration(frozen.until)}`;
  const head = `  ${by.instance} (${by.plugin} ${by.version}), ${policy}: `;
  const mark = state === "frozen" ? state : style.paint("red", `✗ ${state}`);
  return [
    `${head}${mark}${when}`,
    ...wrapText(reason ?? "", style.columns - 4).flatMap((line) => (line === "" ? [] : [`    ${line}`])),
    ...factLines(facts, style),
    ...(sidecar === undefined ? [] : [dim(style, `    files in ${sidecar.dir}`)]),
    ...tableLines(
      (sidecar?.files ?? []).map(({ path, bytes: size, sha256 }) => [
        path,
        bytes(size),
        `sha256 ${sha256.slice(0, 16)}…`,
      ]),
      style,
      { right: [1], indent: 6 },
    ),
  ];
}

const repairStates = {
  repaired: { text: "repaired", style: "green" },
  failed: { text: "✗ failed", style: "red" },
  "passed-over": { text: "not repaired", style: "yellow" },
} as const;

export function repairedLines({ id, writers }: SnapshotSet, style: TerminalStyle): string[] {
  const pending = { text: `not yet: \`holdstill repair ${id}\``, style: "yellow" } as const;
  const rows = writers.flatMap(({ by, repair }): Cell[][] =>
    repair === undefined
      ? []
      : [[by.instance, repair.state === "pending" ? pending : repairStates[repair.state], repair.reason ?? ""]],
  );
  return tableLines(rows, style);
}

const verifyResults = {
  opens: { text: "opens", style: "green" },
  "does-not-open": { text: "✗ does not open", style: "red" },
  "not-examined": { text: "? could not be examined", style: "yellow" },
} as const;

export function verifiedLines({ verified = [] }: SnapshotSet, style: TerminalStyle): string[] {
  const rows = verified.map((one): Cell[] => [
    "writer" in one ? one.writer : one.device,
    verifyResults[one.result],
    instant(one.at),
    one.reason ?? "",
  ]);
  return tableLines(rows, style);
}

export function exposedLines(set: SnapshotSet, style: TerminalStyle): string[] {
  const { exposed = [], snapshots, exposedAt } = visible(set);
  const forks = new Map(snapshots.map(({ snapshot }) => [snapshot.id, snapshot.of]));
  const forked = new Set(forks.values());
  const rows = exposed.flatMap(({ snapshot, exposed: { trees, devices = [], readOnly } }) => {
    const kind = forks.get(snapshot) === undefined ? (forked.has(snapshot) ? ["as it was cut"] : []) : ["repaired"];
    return [...trees, ...devices].map((tree) => [
      tree.original,
      ...kind,
      readOnly ? "read-only" : "writable",
      tree.path,
    ]);
  });
  const all = exposedAt === undefined ? [] : [`  all below ${exposedAt}, at their original paths`];
  return [...tableLines(rows, { ...style, columns: Infinity }), ...all];
}

function volumeLines({ volumes }: SnapshotSet, style: TerminalStyle): string[] {
  return tableLines(
    volumes.map((volume) =>
      volume.kind === "block"
        ? [volumeName(volume), volumeKind(volume), "", volume.id]
        : [volume.mountPoint, volume.fsType, volume.source, volume.id],
    ),
    style,
  );
}

function componentFacts(writer: string | null, component: Component, style: TerminalStyle): string[] {
  const lines = factLines(component.facts, style);
  return lines.length === 0 ? [] : [`  ${nameOf(writer, component)}`, ...lines];
}

function factLines(facts: Record<string, unknown> | undefined, style: TerminalStyle): string[] {
  return Object.entries(facts ?? {}).flatMap(([key, value]) =>
    wrapText(`${key}: ${typeof value === "string" ? value : spaced(value)}`, style.columns - 6).map(
      (line, at) => `${at === 0 ? "    " : "      "}${line}`,
    ),
  );
}

/** JSON on one line that can be wrapped at spaces. */
const spaced = (value: unknown): string => (JSON.stringify(value, null, 1) ?? "").replaceAll(/\n\s*/g, " ");
