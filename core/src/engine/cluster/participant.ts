import { realpathSync } from "node:fs";
import type { ClusterSettings } from "../../base/config/cluster-settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { ClusterPlan } from "../../base/schema/types.js";
import { notAllowed } from "../../cluster/allow.js";
import { HostRendezvous } from "../../cluster/host-rendezvous.js";
import { type ClusterAccess, clusterProtocol } from "../../cluster/open.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import { createSet } from "../create/create.js";
import type { EngineContext, TransactionResult } from "../types.js";

export interface PlannedPart {
  readonly access: ClusterAccess;
  readonly set: string;
  readonly plan: ClusterPlan;
  /** Revision of the plan. */
  readonly from: number;
  /** How long this host still refuses sets, ms. */
  readonly pausedMs: number;
  /** Aborted when the service ends. */
  readonly signal: AbortSignal;
}

/** `failed-frozen`: applications were frozen for nothing. */
export type PartOutcome = "kept" | "undone" | "failed-frozen" | "unsettled";

/** Takes this host's part of a set, together with the others, or refuses it. */
export async function takePart(
  context: EngineContext,
  settings: ClusterSettings,
  part: PlannedPart,
): Promise<PartOutcome> {
  const { access, set, plan, from } = part;
  const { engine, keys, self, bootId } = access;
  const hosts = plan.hosts.map(({ host }) => host);
  const rendezvous = new HostRendezvous({ engine, keys, set, hosts, self, bootId, from });
  const interrupting = new AbortController();
  const stop = (): void => interrupting.abort(part.signal.reason);
  part.signal.addEventListener("abort", stop, { once: true });
  void rendezvous.apart.then((error) => interrupting.abort(error));
  try {
    const request = requestOf(context, settings, part);
    const inCluster = { ...context, settings: clusterLimits(context, settings) };
    const result = await createSet(inCluster, request, { signal: interrupting.signal }, { rendezvous });
    if (isUnsettled(context, set, result)) {
      rendezvous.close();
      return "unsettled";
    }
    await rendezvous.settle(result.set === null ? "undone" : "kept", result.error);
    if (result.set !== null) return "kept";
    return result.timeline.some(({ op }) => op === "freeze" || op === "hold") ? "failed-frozen" : "undone";
  } catch (error) {
    // Nothing has begun here.
    const fault = toFault(error);
    await rendezvous.withdraw(fault);
    await rendezvous.settle("undone", fault);
    return "undone";
  } finally {
    part.signal.removeEventListener("abort", stop);
  }
}

/** @throws HoldstillError E_CLUSTER_REFUSED */
function requestOf(context: EngineContext, { allow }: ClusterSettings, part: PlannedPart): SnapshotRequest {
  const { set, plan, access, pausedMs } = part;
  const { catalog, journals } = context.store;
  if (plan.protocol !== clusterProtocol)
    throw refusal(
      `The requester speaks protocol ${plan.protocol} of cluster sets, and ${access.self} speaks ${clusterProtocol}.`,
      "Install the same version of holdstill on all hosts.",
    );
  if (catalog.has(set) || journals.read(set) !== null)
    throw refusal(`Set ${set} is not new on ${access.self}.`, "Repeat the command: it takes a new set.");
  if (pausedMs > 0)
    throw refusal(
      `${access.self} takes part in no set for another ${Math.ceil(pausedMs / 1000)} s, because the last one failed while it was frozen.`,
      "Wait, or lower `cluster.limits.pause` in its config.",
    );
  const targets = plan.hosts.find(({ host }) => host === access.self)?.targets ?? [];
  const [denied] = [...notAllowed(targets, allow), ...notAllowed(targets.map(realPath), allow.map(realPath))];
  if (denied !== undefined)
    throw refusal(
      `The config of ${access.self} does not allow others to have ${denied} captured.`,
      `Add it to \`cluster.allow\` in the config of ${access.self}.`,
    );
  const { name, tags, require: level } = plan;
  return {
    id: set,
    targets,
    tags,
    ...(name === undefined ? {} : { name }),
    ...(level === undefined ? {} : { require: level }),
  };
}

const refusal = (problem: string, hint: string): HoldstillError =>
  new HoldstillError("E_CLUSTER_REFUSED", { problem, hint });

/** What does not exist is refused by the plan. */
function realPath(target: string): string {
  try {
    return target.startsWith("/") ? realpathSync(target) : target;
  } catch {
    return target;
  }
}

const clusterLimits = (
  { settings }: EngineContext,
  { limits: { hold } }: ClusterSettings,
): EngineContext["settings"] => ({
  ...settings,
  limits: { ...settings.limits, hold: Math.min(settings.limits.hold, hold) },
});

/** The journal of such a set has no end, and its vote is in it. */
function isUnsettled({ store }: EngineContext, set: string, result: TransactionResult): boolean {
  if (result.set !== null) return false;
  const account = store.journals.read(set);
  return account !== null && !("findings" in account) && account.ended === null && account.voted !== null;
}
