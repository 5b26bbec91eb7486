import type { Usual } from "../../base/schema/types.js";
import type { LimitsMs } from "../../base/config/settings.js";
import type { Plan } from "../../plan/plan.js";
import { bold, type TerminalStyle, styleOf, wrapText } from "../terminal/style.js";
import { componentLines, section } from "./set.js";
import { type Cell, tableLines } from "./table.js";
import { count, duration } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";

const levels = ["front-end", "back-end", "system"] as const;

/** What would be done, in the order in which it would be. */
export function planLines(made: Plan, usual: readonly Usual[], limits: LimitsMs, look: TerminalStyle): string[] {
  const plan = visible(made);
  const { cut, promised, request } = plan;
  const components = plan.components.map(({ promised: consistency, ...rest }) => ({ ...rest, consistency }));
  return [
    `${bold(look, "Plan")} for ${request.targets.join(", ")}; nothing was touched`,
    `Promised consistency ${look.paint(styleOf(promised), promised)}, ${asked(plan)}; cut ${cut}`,
    ...section("Components", componentLines(components, look), look),
    ...section("Volumes", volumeLines(plan, look), look),
    ...section("Writers, in the order of freezing", writerLines(plan, look), look),
    ...section(
      "Left out",
      tableLines(
        plan.leftOut.map(({ who, error }) => [who.instance, error.message]),
        look,
      ),
      look,
    ),
    ...section("From the last runs", usualLines(visible(usual), look), look),
    ...section("Limits", limitLines(plan, limits, look), look),
    ...section(
      "Warnings",
      tableLines(
        plan.warnings.map((warning) => ["!", warning]),
        look,
      ),
      look,
    ),
  ];
}

const asked = ({ request }: Plan): string =>
  request.require === undefined ? "none asked" : `asked ${request.require}`;

function volumeLines({ volumes }: Plan, look: TerminalStyle): string[] {
  const rows = volumes.map(({ volume, provider, qualities: { method, where, hold = [] } }) => [
    volume.mountPoint,
    `${volume.fsType} on ${volume.source}`,
    provider,
    [
      method ?? "snapshot",
      ...(where === undefined ? [] : [`in ${where}`]),
      ...(hold.length === 0 ? [] : ["held by the kernel"]),
    ].join(", "),
  ]);
  return tableLines(rows, look);
}

function writerLines({ writers }: Plan, look: TerminalStyle): string[] {
  const ranked = writers.map((writer) => {
    // A writer is frozen once, with the foremost of its components.
    const rank = Math.min(...writer.components.map(({ level = "back-end" }) => levels.indexOf(level)));
    return { ...writer, rank };
  });
  const rows = ranked
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ who, policy, components, cut, rank }) => [
      levels[rank] ?? "back-end",
      who.instance,
      `${who.plugin} ${who.version}`,
      policy,
      components.map(({ name }) => name).join(", "),
      [...new Set(components.flatMap(({ method = {}, repair: recovery = "none" }) => how(method[cut], recovery)))].join(
        "; ",
      ),
    ]);
  return tableLines(rows, look);
}

function how(method: string | undefined, recovery: string): string[] {
  return [...(method === undefined ? [] : [method]), ...(recovery === "none" ? [] : ["snapshot repaired"])];
}

/** More than this part of a limit is too near to it. */
const uneasy = 0.5;

function usualLines(usual: readonly Usual[], look: TerminalStyle): string[] {
  const rows = usual.map(({ actor, op, runs, failed, medianMs, maxMs, limitMs, stillMs }): Cell[] => {
    const isUneasy = failed > 0 || (maxMs ?? 0) > limitMs * uneasy;
    const text = [
      medianMs === null ? `limit ${duration(limitMs)}` : `usually ${duration(medianMs)}, limit ${duration(limitMs)}`,
      ...(maxMs === null || maxMs === medianMs ? [] : [`at most ${duration(maxMs)}`]),
      ...(stillMs === null ? [] : [`still for ${duration(stillMs)}`]),
      failed === 0 ? count(runs, "run") : `${failed} of ${count(runs, "run")} failed`,
    ].join(", ");
    return [actor, op, isUneasy ? { text, style: "yellow" } : text];
  });
  return tableLines(rows, look);
}

function limitLines({ cut, writers }: Plan, limits: LimitsMs, look: TerminalStyle): string[] {
  // A copy under applications that tolerate it may take as long as a copy.
  const commit = cut === "fuzzy" ? limits.copy : limits.hold;
  const frozen = cut === "fuzzy" ? limits.freeze + limits.copy : limits.freeze;
  const repairs = writers.some(({ components }) =>
    components.some(({ repair: recovery = "none" }) => recovery !== "none"),
  );
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
  return wrapText(text, look.columns - 2).map((line) => `  ${line.replaceAll("\u00A0", " ")}`);
}
