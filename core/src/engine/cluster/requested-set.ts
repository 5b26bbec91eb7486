import type { ClusterSettings } from "../../base/config/cluster-settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { endingOf, endingOfSet } from "../../base/errors/outcome.js";
import { Emitter } from "../../base/events/emit.js";
import type { ClusterHostResult, ClusterPlan, ClusterSetDocument } from "../../base/schema/types.js";
import { abortSet, coordinate, type Fate, isCleanable, removeSetKeys } from "../../cluster/coordinator.js";
import { readSet } from "../../cluster/fate.js";
import { type ClusterAccess, clusterProtocol, openCluster } from "../../cluster/open.js";
import { clusterRecord } from "../../cluster/proof.js";
import { type SetView, valueOf } from "../../cluster/set-view.js";
import { isLowerConsistency } from "../../plan/consistency.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import { newSetId } from "../../plan/set-id.js";
import type { CatalogContext, Watcher } from "../types.js";

/** What to capture on which host. The rest of the request is the same for all. */
export interface ClusterRequest extends Pick<SnapshotRequest, "name" | "tags" | "require"> {
  readonly hosts: readonly { readonly host: string; readonly targets: readonly string[] }[];
}

const CALL_MS = 5000;

/**
 * Takes one set over several hosts, or none. This process takes no part of it: the service of each host does.
 *
 * @throws HoldstillError E_CLUSTER_REFUSED, E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED: nothing was begun
 */
export async function requestClusterSet(
  { settings }: CatalogContext,
  request: ClusterRequest,
  { onEvent, signal = new AbortController().signal }: Watcher,
): Promise<ClusterSetDocument> {
  const access = openCluster(clusterOf(settings.cluster));
  const emitter = new Emitter(onEvent === undefined ? [] : [onEvent]);
  try {
    await checkPresence(access, request);
    await removeDeadPlans(access);
    signal.throwIfAborted();
    const set = newSetId();
    const { limits } = settings;
    const gather = limits.identify + limits.queue + limits.prepare;
    const seal = limits.freeze + limits.seal + limits.ready + limits.repair;
    const fate = await coordinate({
      engine: access.engine,
      keys: access.keys,
      set,
      plan: planOf(access, request),
      limits: {
        reach: { armed: gather, frozen: limits.freeze, taken: limits.freeze, sealed: seal },
        settle: 2 * limits.abort,
        write: CALL_MS,
      },
      signal,
      onChange: progressReport(emitter),
    });
    return documentOf(access, set, fate, request);
  } finally {
    access.engine.close();
  }
}

/** @throws HoldstillError E_CLUSTER_REFUSED */
export function clusterOf(settings: ClusterSettings | null): ClusterSettings {
  if (settings !== null) return settings;
  throw new HoldstillError("E_CLUSTER_REFUSED", {
    problem: "The config has no block `cluster`, so this host knows no other.",
    hint: "Add `cluster:` with the endpoints of etcd to the config; docs/cluster.md has an example.",
  });
}

/** A host without its service would be waited for in vain. Nothing depends on this: a host can be gone a moment later. */
async function checkPresence({ engine, keys }: ClusterAccess, { hosts }: ClusterRequest): Promise<void> {
  const { entries } = await engine.read(`${keys.prefix}host/`, CALL_MS);
  for (const { host } of hosts) {
    const text = entries.find(({ key }) => key === keys.of({ type: "presence", host }))?.value;
    const presence = text === undefined ? null : valueOf(text);
    if (presence?.key !== "presence")
      throw new HoldstillError("E_CLUSTER_REFUSED", {
        problem: `Host ${host} is not in the cluster now.`,
        hint: "`holdstill cluster hosts` lists those that are. On each host `holdstill serve` has to run.",
      });
    if (presence.protocol !== clusterProtocol)
      throw new HoldstillError("E_CLUSTER_REFUSED", {
        problem: `Host ${host} speaks protocol ${presence.protocol} of cluster sets, and this one ${clusterProtocol}.`,
        hint: "Install the same version of holdstill on all hosts.",
      });
  }
}

/** Plans of this requester whose process has died. Their hosts have withdrawn, or do so now. */
async function removeDeadPlans({ engine, keys, self, bootId }: ClusterAccess): Promise<void> {
  const { entries } = await engine.read(`${keys.prefix}plan/`, CALL_MS);
  for (const { key: text, value } of entries) {
    const key = keys.parse(text);
    const plan = valueOf(value);
    if (key?.type !== "plan" || plan?.key !== "plan" || plan.by.name !== self) continue;
    if (plan.by.bootId === bootId && isAlive(plan.by.pid)) continue;
    const reason = { code: "E_CLUSTER_ABORTED", message: "The process that asked for the set has died." };
    await abortSet(engine, keys, key.set, reason, CALL_MS);
    const read = await readSet(engine, keys, key.set);
    if (read !== null && isCleanable(read.view)) await removeSetKeys(engine, keys, key.set, CALL_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function planOf({ self, bootId }: ClusterAccess, { hosts, name, tags, require: level }: ClusterRequest): ClusterPlan {
  return {
    key: "plan",
    protocol: clusterProtocol,
    hosts: hosts.map(({ host, targets }) => ({ host, targets: [...targets] })),
    tags: { ...tags },
    ...(name === undefined ? {} : { name }),
    ...(level === undefined ? {} : { require: level }),
    by: { name: self, bootId, pid: process.pid, at: new Date().toISOString() },
  };
}

/** Each step of each host once. */
function progressReport(emitter: Emitter): (view: SetView) => void {
  const reported = new Set<string>();
  return (view) => {
    for (const host of view.hosts) {
      const step = view.stateOf(host)?.state.step;
      if (step === undefined || reported.has(`${host} ${step}`)) continue;
      reported.add(`${host} ${step}`);
      emitter.emit({ type: "progress", actor: host, message: step });
    }
  };
}

function documentOf(
  { keys, self }: ClusterAccess,
  set: string,
  fate: Fate,
  { require: level }: ClusterRequest,
): ClusterSetDocument {
  const hosts = fate.view.hosts.map((host) => hostResult(fate.view, host));
  if (fate.type !== "commit") {
    const error = toFault(fate.error);
    const ending = endingOf(error.code, fate.type === "unknown" ? "residue" : "undone");
    return { ...ending, set, instant: null, hosts, error };
  }
  const { instant } = clusterRecord(fate.view, keys, self, set);
  const isLower = hosts.some(
    ({ consistency }) => level !== undefined && isLowerConsistency(consistency ?? "none", level),
  );
  return { ...endingOfSet(isLower ? "lower" : "as-asked", []), set, instant, hosts, error: null };
}

function hostResult(view: SetView, host: string): ClusterHostResult {
  const state = view.stateOf(host)?.state;
  const part = view.voteOf(host);
  const reason = state !== undefined && "reason" in state ? state.reason?.message : undefined;
  return {
    host,
    fate: state?.step === "settled" ? state.fate : "open",
    ...(part === null ? {} : { consistency: part.consistency }),
    ...(part === null || part.hold === null
      ? {}
      : { heldMs: Math.round((part.hold.releaseAt - part.hold.heldAt) * 1000) / 1000 }),
    ...(reason === undefined ? {} : { reason }),
  };
}
