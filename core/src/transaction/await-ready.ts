import { setTimeout as sleep } from "node:timers/promises";
import { HoldstillError, isHoldstillError } from "../base/errors/error.js";
import type { Session } from "../host/isolation/session.js";
import type { Listed, Snapshot } from "../base/schema/types.js";

/** Between two looks at the storage, ms: each wait is twice as long as the one before. */
const WAITS = { first: 100, longest: 5000 };

interface ReadyLimits {
  /** Until all snapshots are to be ready, ms. */
  readonly readyMs: number;
  /** Of one look, ms. */
  readonly lookMs: number;
}

export const isCreating = ({ state }: Snapshot): boolean => state === "creating";

/**
 * Waits until the storage has finished these snapshots of one provider. One that is not finished within the limit keeps its state.
 *
 * @throws HoldstillError E_SNAPSHOT_LOST; E_DEADLINE, E_PLUGIN_DIED; the signal's reason
 */
export async function awaitReady(
  provider: Session<"provider">,
  snapshots: readonly Snapshot[],
  { readyMs, lookMs }: ReadyLimits,
  signal: AbortSignal,
): Promise<Snapshot[]> {
  const until = performance.now() + readyMs;
  let now = [...snapshots];
  for (let wait = WAITS.first; now.some(isCreating); wait = Math.min(2 * wait, WAITS.longest)) {
    const left = until - performance.now();
    if (left <= 0) break;
    await sleep(Math.min(wait, left), undefined, { signal }).catch(() => signal.throwIfAborted());
    now = await look(provider, now, lookMs);
  }
  return now;
}

/** A storage that fails to answer once goes on with its work. */
async function look(provider: Session<"provider">, snapshots: Snapshot[], lookMs: number): Promise<Snapshot[]> {
  try {
    return asListed(snapshots, await provider.call("list", [], lookMs));
  } catch (error) {
    if (isHoldstillError(error) && (error.code === "E_PLUGIN_FAILED" || error.code === "E_UNREACHABLE"))
      return snapshots;
    throw error;
  }
}

/**
 * The snapshots with their states as the provider lists them. One that is not listed keeps its state.
 *
 * @throws HoldstillError E_SNAPSHOT_LOST
 */
export function asListed(snapshots: readonly Snapshot[], listed: Listed): Snapshot[] {
  const all = Array.isArray(listed) ? listed : listed.snapshots;
  return snapshots.map((snapshot) => {
    const now = all.find(({ id }) => id === snapshot.id);
    if (now?.lost !== undefined)
      throw new HoldstillError("E_SNAPSHOT_LOST", { set: now.setId, snapshot: now.id, reason: now.lost });
    if (now === undefined || isCreating(now)) return snapshot;
    const { state: _, ...ready } = snapshot;
    return ready;
  });
}
