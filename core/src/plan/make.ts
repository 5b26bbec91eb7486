import type { LimitsMs } from "../base/config/settings.js";
import { HoldstillError } from "../base/errors/error.js";
import { refusalsOf } from "../keeper/policy/refusals.js";
import { type ProtectedPath, readSystemState } from "../keeper/policy/system-tables.js";
import { locate } from "./locate.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import { isLowerConsistency, lowestConsistency } from "./consistency.js";
import { matchAll } from "./match.js";
import { volumeOnly, cutOf, negotiate } from "./negotiate.js";
import type { Plan, PlannedComponent, PlannedProvider, PlannedVolume, PlannedWriter, SnapshotRequest } from "./plan.js";
import { checkRequest } from "./request.js";
import { ownerless, pathsOf, selectComponents } from "./select.js";
import { newSetId } from "./set-id.js";
import { parseTarget, type Target } from "./targets.js";
import type { LeftOutWriter } from "../base/schema/types.js";
import { identifyAll, type PresentWriter, sortOut } from "./writers.js";

/**
 * Plans a transaction: the volumes, their providers, the writers, and the consistency that follows. Changes nothing.
 *
 * @param guarded What must stay usable while volumes are held.
 * @throws HoldstillError E_USAGE, E_TARGET_*, E_NO_PROVIDER, E_PLAN_*, E_HOLD_REFUSED, or the error of a required writer's identify.
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
  const { present, leftOut } = sortOut(await identified);
  refuseMissing(targets, leftOut);

  const paths = pathsOf(targets, present);
  const { taken, warnings } = selectComponents(present, paths);
  const rest = ownerless(paths, taken);
  const located = locate([
    ...taken.map(({ component }) => ({ paths: component.paths, exclude: component.exclude ?? [] })),
    ...rest.map((one) => ({ paths: [one], exclude: [] })),
  ]);
  const volumes = await matchAll(workers, located.volumes, limits.identify);
  const cut = cutOf(volumes);
  const components = negotiate({ taken, ownerless: rest }, volumes, located.places);
  refuseHolds(volumes, request.includeRoot ?? false, guarded);
  const promised = lowestConsistency(components.map((c) => c.promised));
  const asked = request.require ?? owed(components, present);
  refuseBelow(promised, asked, components);
  return {
    id: request.id ?? newSetId(),
    request: { ...request, targets: [...request.targets] },
    cut,
    volumes,
    writers: writersOf(present, components, volumes),
    providers: providersOf(workers, volumes),
    components,
    leftOut,
    warnings: [...warnings, ...located.nested.map(notCaptured)],
    promised,
    asked,
  };
}

/** What counts as success if the requester requires nothing: the promise, without what best-effort writers add. */
function owed(components: readonly PlannedComponent[], present: readonly PresentWriter[]): Plan["asked"] {
  const isOptional = (c: PlannedComponent): boolean =>
    present.some(({ who, policy }) => who.instance === c.writer && policy === "best-effort");
  return lowestConsistency(
    components.map((c) =>
      isOptional(c) ? lowestConsistency([c.promised, volumeOnly(c.cut, c.held).consistency]) : c.promised,
    ),
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

function refuseMissing(targets: readonly Target[], leftOut: readonly LeftOutWriter[]): void {
  for (const target of targets) {
    if (target.is !== "writer") continue;
    const missing = leftOut.find(({ who }) => who.instance === target.instance);
    if (missing === undefined) continue;
    throw new HoldstillError("E_TARGET_UNREADABLE", { target: target.asked, reason: missing.error.message });
  }
}

function refuseBelow(promised: Plan["promised"], asked: Plan["asked"], components: readonly PlannedComponent[]): void {
  if (!isLowerConsistency(promised, asked)) return;
  const worst = components.find((c) => c.promised === promised);
  const reason = `${worst?.component.paths.join(", ")}: ${worst?.reason}.`;
  throw new HoldstillError("E_PLAN_BELOW", { asked, promised, reason });
}

/** Only writers whose components become consistent by it are frozen. */
function writersOf(
  present: readonly PresentWriter[],
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

function providersOf(workers: PluginWorkers, volumes: readonly PlannedVolume[]): PlannedProvider[] {
  return [...workers.plugins.values()].flatMap(({ who }) => {
    const own = volumes.filter((v) => v.provider === who.instance).map((v) => v.volume);
    return own.length === 0 ? [] : [{ who, volumes: own }];
  });
}

const notCaptured = (point: string): string =>
  `${point} is mounted below a target and is not captured; name it as a separate target.`;
