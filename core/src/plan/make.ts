import type { LimitsMs } from "../base/config/settings.js";
import { HoldstillError } from "../base/errors/error.js";
import { refusalsOf } from "../keeper/policy/refusals.js";
import { type ProtectedPath, readSystemState } from "../keeper/policy/system-tables.js";
import { locate } from "./locate.js";
import { type PartOfTarget, sortOutParts } from "./overlap.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import { isLowerConsistency, lowestConsistency } from "./consistency.js";
import { matchAll } from "./match.js";
import { cutOf, isTolerated, negotiate } from "./negotiate.js";
import type { Plan, PlannedComponent, PlannedProvider, PlannedVolume, PlannedWriter, SnapshotRequest } from "./plan.js";
import { checkRequest } from "./request.js";
import { ownerless, pathsOf, refuseShared, selectComponents } from "./select.js";
import { refuseSpace } from "./space.js";
import { newSetId } from "./set-id.js";
import { parseTarget, type Target } from "./targets.js";
import type { LeftOutWriter } from "../base/schema/types.js";
import { identifyAll, type PresentWriter, sortOut } from "./writers.js";

/**
 * Plans a transaction: the volumes, their providers, the writers, and the consistency that follows. Changes nothing.
 *
 * @param guarded What must stay usable while volumes are held.
 * @throws HoldstillError E_USAGE, E_TARGET_*, E_WRITERS_SHARE, E_NO_PROVIDER, E_PLAN_*, E_HOLD_REFUSED, or the error of a required writer's identify.
 */
export async function makePlan(
  request: SnapshotRequest,
  workers: PluginWorkers,
  limits: LimitsMs,
  guarded: readonly ProtectedPath[],
): Promise<Plan> {
  checkRequest(request);
  const known = [...workers.plugins.values()].filter((p) => p.who.role === "writer").map((p) => p.who.instance);
  const targets = request.targets.map((target) => parseTarget(target, known));
  const identified = identifyAll(workers, limits.identify);
  workers.warm("provider");
  const { present, leftOut } = sortOut(await identified, targets);
  refuseMissing(targets, leftOut);

  const paths = pathsOf(targets, present);
  const { taken, warnings } = selectComponents(present, paths);
  refuseShared(present, taken);
  const rest = ownerless(paths, taken);
  const located = locate([
    ...taken.map(({ component }) => ({ paths: component.paths, exclude: component.exclude ?? [] })),
    ...rest.map((one) => ({ paths: [one], exclude: [] })),
  ]);
  const { volumes, failed } = await matchAll(workers, located.volumes, limits.identify);
  const cut = cutOf(volumes);
  const { whole, parts } = sortOutParts(rest, located.places);
  const components = negotiate({ taken, ownerless: whole }, volumes, located.places);
  refuseSpace(volumes);
  refuseHolds(volumes, request.includeRoot ?? false, guarded);
  const promised = lowestConsistency(components.map((c) => c.promised));
  const asked = request.require ?? owed(components, present);
  refuseBelow(promised, asked, components);
  const named = request.require === undefined ? writersIn(targets) : [];
  refuseTorn(named, components);
  return {
    id: request.id ?? newSetId(),
    request: { ...request, targets: [...request.targets] },
    cut,
    volumes,
    writers: writersOf(present, components, volumes, named),
    providers: providersOf(workers, volumes),
    components,
    ...(located.nested.length === 0 ? {} : { notCaptured: located.nested }),
    leftOut,
    warnings: [
      ...warnings,
      ...[...failed.values()].map(isLeftOut),
      ...parts.map(isPart),
      ...notCaptured(located.nested),
    ],
    promised,
    asked,
  };
}

/** What counts as success if the requester requires nothing: the promise, without what best-effort writers add. */
function owed(components: readonly PlannedComponent[], present: readonly PresentWriter[]): Plan["asked"] {
  const isOptional = (c: PlannedComponent): boolean =>
    present.some(({ who, policy }) => who.instance === c.writer && policy === "best-effort");
  return lowestConsistency(
    components.map((c) => (isOptional(c) ? lowestConsistency([c.promised, c.withoutWriter]) : c.promised)),
  );
}

/** What the keeper would refuse is refused before anything is changed. */
function refuseHolds(volumes: readonly PlannedVolume[], includeRoot: boolean, guarded: readonly ProtectedPath[]): void {
  const points = volumes.flatMap(({ qualities }) => qualities.hold ?? []);
  if (points.length === 0) return;
  const own = volumes.map(({ volume }) => volume);
  const refusals = refusalsOf({ targets: points, ops: [], includeRoot, volumes: own }, readSystemState(guarded));
  if (refusals.length > 0) throw new HoldstillError("E_HOLD_REFUSED", { refusals });
}

const writersIn = (targets: readonly Target[]): string[] =>
  targets.flatMap((target) => (target.is === "writer" ? [target.instance] : []));

function refuseMissing(targets: readonly Target[], leftOut: readonly LeftOutWriter[]): void {
  for (const target of targets) {
    if (target.is !== "writer") continue;
    const missing = leftOut.find(({ who }) => who.instance === target.instance);
    if (missing === undefined) continue;
    const { message: reason, hint: remedy } = missing.error;
    const details = { target: target.asked, reason: reason.replace(/\.$/, "") };
    throw new HoldstillError("E_TARGET_UNREADABLE", remedy === undefined ? details : { ...details, remedy });
  }
}

function refuseBelow(promised: Plan["promised"], asked: Plan["asked"], components: readonly PlannedComponent[]): void {
  const worst = components.find((c) => c.promised === promised);
  if (worst === undefined || !isLowerConsistency(promised, asked)) return;
  const reason = `${worst.component.paths.join(", ")}: ${worst.reason}.`;
  throw new HoldstillError("E_PLAN_BELOW", { asked, promised, reason });
}

/** A copy of files of different moments does not count as a success for a writer that is a target, unless the requester accepts it. */
function refuseTorn(named: readonly string[], components: readonly PlannedComponent[]): void {
  const own = components.filter((c) => c.writer !== null && named.includes(c.writer));
  refuseBelow(lowestConsistency(own.map((c) => c.promised)), "crash", own);
}

/**
 * Only writers whose components are of more use by it are frozen. One that is a target is required if without it there would only be
 * files of different moments.
 */
function writersOf(
  present: readonly PresentWriter[],
  components: readonly PlannedComponent[],
  volumes: readonly PlannedVolume[],
  named: readonly string[],
): PlannedWriter[] {
  return present.flatMap(({ who, policy: usual }) => {
    const own = components.filter((c) => c.writer === who.instance && isTolerated(c.component, c.cut));
    if (own.length === 0) return [];
    const ids = new Set(own.flatMap((c) => c.volumes));
    const cut = cutOf(volumes.filter(({ volume }) => ids.has(volume.id)));
    const isTorn = own.some((c) => c.withoutWriter === "none");
    const policy = isTorn && named.includes(who.instance) ? "required" : usual;
    return [{ who, policy, components: own.map((c) => c.component), volumes: [...ids], cut }];
  });
}

function providersOf(workers: PluginWorkers, volumes: readonly PlannedVolume[]): PlannedProvider[] {
  return [...workers.plugins.values()].flatMap(({ who }) => {
    const own = volumes.filter((v) => v.provider === who.instance).map((v) => v.volume);
    return own.length === 0 ? [] : [{ who, volumes: own }];
  });
}

const isLeftOut = (error: HoldstillError): string => `${error.message} It is left out, and other providers are asked.`;
const isPart = ({ part, of }: PartOfTarget): string => `Target ${part} is a part of ${of}: both are one.`;

/** Mount points that a warning names; the plan has all of them. */
const NAMED = 3;

function notCaptured(points: readonly string[]): string[] {
  const named = points
    .slice(0, NAMED)
    .map((point) => `${point} is mounted below a target and is not captured; name it as a separate target.`);
  const more = points.length - named.length;
  return more <= 0 ? named : [...named, `${more} more mount points below a target are not captured.`];
}
