import { toFault } from "../../base/errors/error.js";
import type { Residue, SnapshotSet } from "../../base/schema/types.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { Journal } from "../../store/journal.js";
import { expiredLeases, forgetLease, isLeased } from "../../store/lease.js";
import { withSetLock } from "../sets/set-lock.js";
import { removeSet } from "../sets/sets.js";
import type { EngineContext, Watcher } from "../types.js";
import { interruptible, withOperation } from "../operation.js";

/** Sets that were to live as long as their requester, and outlived it. */
export function expiredSets({ catalog, state }: EngineContext): SnapshotSet[] {
  return catalog
    .list()
    .sets.filter(({ id, lease }) => lease !== undefined && !isLeased(state, lease) && !Journal.isHeld(state, id));
}

/** The same, without a look at every record where no lease has expired. */
function freshlyExpired(bench: EngineContext): SnapshotSet[] {
  return expiredLeases(bench.state).length === 0 ? [] : expiredSets(bench);
}

export async function removeExpired(
  bench: EngineContext,
  workers: PluginWorkers,
  id: string,
  why = "its requester is gone",
): Promise<Residue[]> {
  try {
    await withSetLock(bench, id, async () => {
      if (!bench.catalog.has(id)) return;
      const set = bench.catalog.find(id);
      // Somebody may have decided to keep it meanwhile.
      if (set.lease !== undefined) await removeSet(bench, workers, set, "expire", why);
    });
    return [];
  } catch (error) {
    return [{ actor: id, op: "remove", error: toFault(error) }];
  }
}

/**
 * Removes sets whose requesters are gone, and their leases. What does not work is left to `recover`, and stops nothing; an
 * interruption does, and the set that was being removed stays in the catalog.
 *
 * @throws the reason of the interruption.
 */
export async function sweepExpired(
  bench: EngineContext,
  plugins: Resolution["plugins"],
  watching: Watcher,
): Promise<void> {
  const expired = freshlyExpired(bench);
  if (expired.length > 0)
    await withOperation(bench, plugins, watching, async (workshop) => {
      for (const { id } of expired) {
        const [left] = await interruptible(workshop, () => removeExpired(bench, workshop.workers, id));
        const how = left === undefined ? "was removed" : `could not be removed: ${left.error.message}`;
        workshop.emit({ type: "warning", message: `Set ${id}, whose requester is gone, ${how}` });
      }
    });
  forgetExpired(bench);
}

/** Lease files of nobody, once no record names them any more. */
export function forgetExpired({ catalog, state }: EngineContext): void {
  const expired = expiredLeases(state);
  if (expired.length === 0) return;
  const named = new Set(catalog.list().sets.flatMap(({ lease }) => lease?.id ?? []));
  for (const id of expired) if (!named.has(id)) forgetLease(state, id);
}
