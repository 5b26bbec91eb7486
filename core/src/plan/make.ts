import type { LimitsMs } from "../base/config/settings.js";
import { HoldstillError } from "../base/errors/error.js";
import { refusalsOf } from "../keeper/policy/refusals.js";
import { type Guarded, readSurroundings } from "../keeper/policy/system-tables.js";
import { locate } from "./locate.js";
import type { Crew } from "../host/plugin-workers.js";
import { isBelow, lowest } from "./consistency.js";
import { matchAll } from "./match.js";
import { bare, cutOf, negotiate } from "./negotiate.js";
import type { Plan, PlannedComponent, PlannedProvider, PlannedVolume, PlannedWriter, Request } from "./plan.js";
import { refuseBadRequest } from "./request.js";
import { ownerless, pathsOf, selectComponents } from "./select.js";
import { newSetId } from "./set-id.js";
import { parseTarget, type Target } from "./targets.js";
import { identifyAll, type LeftOut, type Present, sortOut } from "./writers.js";

/**
 * Says what a transaction would do: which volumes, by which provider, with which writers, and what consistency follows.
 * Touches nothing.
 *
 * @param guarded What must stay usable while volumes are held.
 * @throws HoldstillError E_USAGE, E_TARGET_*, E_NO_PROVIDER, E_PLAN_*, E_HOLD_REFUSED, or the error of a required writer's identify.
 */
export async function makePlan(
  request: Request,
  crew: Crew,
  limits: LimitsMs,
  guarded: readonly Guarded[],
): Promise<Plan> {
  refuseBadRequest(request);
  const known = [...crew.plugins.values()].filter((p) => p.who.role === "writer").map((p) => p.who.instance);
  const targets = request.targets.map((target) => parseTarget(target, known));
  const identified = identifyAll(crew, limits.identify);
  crew.warm("provider");
  const { present, leftOut } = sortOut(await identified);
  refuseMissing(targets, leftOut);

  const paths = pathsOf(targets, present);
  const { taken, warnings } = selectComponents(present, paths);
  const rest = ownerless(paths, taken);
  const located = locate([
    ...taken.map(({ component }) => ({ paths: component.paths, exclude: component.exclude ?? [] })),
    ...rest.map((one) => ({ paths: [one], exclude: [] })),
  ]);
  const volumes = await matchAll(crew, located.volumes, limits.identify);
  const cut = cutOf(volumes);
  const components = negotiate({ taken, ownerless: rest }, volumes, located.places);
  refuseHolds(volumes, request.includeRoot ?? false, guarded);
  const promised = lowest(components.map((c) => c.promised));
  const asked = request.require ?? owed(components, present);
  refuseBelow(promised, asked, components);
  return {
    id: request.id ?? newSetId(),
    request,
    cut,
    volumes,
    writers: writersOf(present, components, volumes),
    providers: providersOf(crew, volumes),
    components,
    leftOut,
    warnings: [...warnings, ...located.nested.map(notCaptured)],
    promised,
    asked,
  };
}

/** What counts as success when the requester requires nothing: the promise, less what hangs on best-effort writers. */
function owed(components: readonly PlannedComponent[], present: readonly Present[]): Plan["asked"] {
  const isOptional = (c: PlannedComponent): boolean =>
    present.some(({ who, policy }) => who.instance === c.writer && policy === "best-effort");
  return lowest(
    components.map((c) => (isOptional(c) ? lowest([c.promised, bare(c.cut, c.held).consistency]) : c.promised)),
  );
}

/** What the keeper would refuse is refused before anything is touched. */
function refuseHolds(volumes: readonly PlannedVolume[], includeRoot: boolean, guarded: readonly Guarded[]): void {
  const points = volumes.flatMap(({ qualities }) => qualities.hold ?? []);
  if (points.length === 0) return;
  const own = volumes.map(({ volume }) => volume);
  const refusals = refusalsOf({ points, ops: [], includeRoot, volumes: own }, readSurroundings(guarded));
  if (refusals.length > 0) throw new HoldstillError("E_HOLD_REFUSED", { refusals });
}

function refuseMissing(targets: readonly Target[], leftOut: readonly LeftOut[]): void {
  for (const target of targets) {
    if (target.is !== "writer") continue;
    const missing = leftOut.find(({ who }) => who.instance === target.instance);
    if (missing === undefined) continue;
    throw new HoldstillError("E_TARGET_UNREADABLE", { target: target.asked, reason: missing.error.message });
  }
}

function refuseBelow(promised: Plan["promised"], asked: Plan["asked"], components: readonly PlannedComponent[]): void {
  if (!isBelow(promised, asked)) return;
  const worst = components.find((c) => c.promised === promised);
  const why = `${worst?.component.paths.join(", ")}: ${worst?.why}.`;
  throw new HoldstillError("E_PLAN_BELOW", { asked, promised, why });
}

/** Only writers whose components gain by it are asked to hold still. */
function writersOf(
  present: readonly Present[],
  components: readonly PlannedComponent[],
  volumes: readonly PlannedVolume[],
): PlannedWriter[] {
  return present.flatMap(({ who, policy }) => {
    const own = components.filter((c) => c.writer === who.instance && c.promised === "application");
    const ids = new Set(own.flatMap((c) => c.volumes));
    const cut = cutOf(volumes.filter(({ volume }) => ids.has(volume.id)));
    return own.length === 0 ? [] : [{ who, policy, components: own.map((c) => c.component), volumes: [...ids], cut }];
  });
}

function providersOf(crew: Crew, volumes: readonly PlannedVolume[]): PlannedProvider[] {
  return [...crew.plugins.values()].flatMap(({ who }) => {
    const own = volumes.filter((v) => v.provider === who.instance).map((v) => v.volume);
    return own.length === 0 ? [] : [{ who, volumes: own }];
  });
}

const notCaptured = (point: string): string =>
  `${point} is mounted below a target and is not captured; name it as a target of its own.`;
