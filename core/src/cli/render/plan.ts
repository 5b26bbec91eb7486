import type { Space, Usual } from "../../base/schema/types.js";
import type { LimitsMs } from "../../base/config/settings.js";
import type { Plan } from "../../plan/plan.js";
import { volumeKind, volumeName } from "../../base/display/volume-name.js";
import { bold, type TerminalStyle, styleOf, wrapText } from "../terminal/style.js";
import { componentLines, section } from "./set.js";
import { type Cell, tableLines } from "./table.js";
import { bytes, count, duration } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

const levels = ["front-end", "back-end", "system"] as const;

/** What create would do, in that order. */
export function planLines(made: Plan, usual: readonly Usual[], limits: LimitsMs, style: TerminalStyle): string[] {
  const plan = visible(made);
  const { cut, promised, request } = plan;
  const components = plan.components.map(({ promised: consistency, ...rest }) => ({ ...rest, consistency }));
  return [
    `${bold(style, "Plan")} for ${request.targets.join(", ")}; nothing was changed`,
    `Promised consistency ${style.paint(styleOf(promised), promised)}, ${asked(plan)}; cut ${cut}`,
    ...section("Components", componentLines(components, style), style),
    ...section("Volumes", volumeLines(plan, style), style),
    ...section("Writers, in the order of freezing", writerLines(plan, style), style),
    ...section(
      "Left out",
      tableLines(
        plan.leftOut.map(({ who, error }) => [who.instance, error.message]),
        style,
      ),
      style,
    ),
    ...section("From the last runs", usualLines(visible(usual), style), style),
    ...section("Limits", limitLines(plan, limits, style), style),
    ...section(
      "Warnings",
      tableLines(
        plan.warnings.map((warning) => ["!", warning]),
        style,
      ),
      style,
    ),
  ];
}

const asked = ({ request }: Plan): string =>
  request.require === undefined ? "none asked" : `asked ${request.require}`;

function volumeLines({ volumes }: Plan, style: TerminalStyle): string[] {
  const rows = volumes.map(({ volume, provider, qualities: { method, where, hold = [], space = {} } }) => [
    volumeName(volume),
    volumeKind(volume),
    provider,
    [
      method ?? "snapshot",
      ...(where === undefined ? [] : [`in ${where}`]),
      ...(hold.length === 0 ? [] : ["held by the kernel"]),
      ...spaceParts(space),
    ].join(", "),
  ]);
  return tableLines(rows, style);
}

/** As `3 GiB free`, `needs 1 GiB of 3 GiB free`, `12 of 256 snapshots`. */
export function spaceParts({ neededBytes, freeBytes, snapshots }: Space): string[] {
  const free = freeBytes === undefined ? [] : [`${bytes(freeBytes)} free`];
  const parts = neededBytes === undefined ? free : [[`needs ${bytes(neededBytes)}`, ...free].join(" of ")];
  return snapshots === undefined ? parts : [...parts, `${snapshots.used} of ${count(snapshots.limit, "snapshot")}`];
}

function writerLines({ request, writers, volumes }: Plan, style: TerminalStyle): string[] {
  const copied = new Set(
    volumes.filter(({ qualities }) => qualities.space?.fork === "copies").map(({ volume }) => volume.id),
  );
  const repairOf = (repair: string, own: readonly string[]): string[] => {
    if (repair === "none" || request.repair === "never") return [];
    if (request.repair === "later") return ["snapshot repaired later"];
    return [own.some((id) => copied.has(id)) ? "snapshot repaired, in a second copy of the data" : "snapshot repaired"];
  };
  const ranked = writers.map((writer) => {
    // A writer is frozen once, at the first level of its components.
    const rank = Math.min(...writer.components.map(({ level = "back-end" }) => levels.indexOf(level)));
    return { ...writer, rank };
  });
  const rows = ranked
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ who, policy, components, cut, rank, volumes: own }) => [
      levels[rank] ?? "back-end",
      who.instance,
      `${who.plugin} ${who.version}`,
      policy,
      components.map(({ name }) => name).join(", "),
      [
        ...new Set(components.flatMap(({ method = {}, repair = "none" }) => how(method[cut], repairOf(repair, own)))),
      ].join("; "),
    ]);
  return tableLines(rows, style);
}

const how = (method: string | undefined, repair: readonly string[]): string[] => [
  ...(method === undefined ? [] : [method]),
  ...repair,
];

/** A call that took more than this share of its limit is marked. */
const nearLimit = 0.5;

function usualLines(usual: readonly Usual[], style: TerminalStyle): string[] {
  const rows = usual.map(({ actor, op, runs, failed, medianMs, maxMs, limitMs, stillMs }): Cell[] => {
    const isMarked = failed > 0 || (maxMs ?? 0) > limitMs * nearLimit;
    const text = [
      medianMs === null ? `limit ${duration(limitMs)}` : `usually ${duration(medianMs)}, limit ${duration(limitMs)}`,
      ...(maxMs === null || maxMs === medianMs ? [] : [`at most ${duration(maxMs)}`]),
      ...(stillMs === null ? [] : [`frozen for ${duration(stillMs)}`]),
      failed === 0 ? count(runs, "run") : `${failed} of ${count(runs, "run")} failed`,
    ].join(", ");
    return [actor, op, isMarked ? { text, style: "yellow" } : text];
  });
  return tableLines(rows, style);
}

function limitLines({ request, cut, writers }: Plan, limits: LimitsMs, style: TerminalStyle): string[] {
  // A fuzzy cut is a copy, so applications may be frozen for as long as it takes.
  const commit = cut === "fuzzy" ? limits.copy : limits.hold;
  const frozen = cut === "fuzzy" ? limits.freeze + limits.copy : limits.freeze;
  const isInline = (request.repair ?? "inline") === "inline";
  const repairs =
    isInline && writers.some(({ components }) => components.some(({ repair = "none" }) => repair !== "none"));
  const parts = [
    `queue ${duration(limits.queue)}`,
    `prepare ${duration(limits.prepare)}`,
    ...(writers.length === 0 ? [] : [`frozen ${duration(frozen)}`]),
    `commit ${duration(commit)}`,
    `seal ${duration(limits.seal)}`,
    ...(repairs ? [`repair ${duration(limits.repair)}`] : []),
    `abort ${duration(limits.abort)}`,
  ];
  // A number stays with its unit.
  const text = parts.map((part) => part.replaceAll(" ", "\u00A0")).join(" · ");
  return wrapText(text, style.columns - 2).map((line) => `  ${line.replaceAll("\u00A0", " ")}`);
}
