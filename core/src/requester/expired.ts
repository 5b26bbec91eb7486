import { toFault } from "../errors/error.js";
import type { Event, Residue, SnapshotSet } from "../schema/types.js";
import type { Crew } from "../crew/crew.js";
import { Journal } from "../transaction/journal.js";
import { expiredLeases, forgetLease, isLeased } from "./lease.js";
import { withSetLock } from "./set-lock.js";
import { remove } from "./sets.js";
import type { Bench } from "./types.js";

/** Sets that were to live as long as their requester, and outlived it. */
export function expiredSets({ catalog, state }: Bench): SnapshotSet[] {
  return catalog
    .list()
    .sets.filter(({ id, lease }) => lease !== undefined && !isLeased(state, lease) && !Journal.isHeld(state, id));
}

/** The same, without a look at every record where no lease has expired. */
export function freshlyExpired(bench: Bench): SnapshotSet[] {
  return expiredLeases(bench.state).length === 0 ? [] : expiredSets(bench);
}

export async function removeExpired(
  bench: Bench,
  crew: Crew,
  id: string,
  why = "its requester is gone",
): Promise<Residue[]> {
  try {
    await withSetLock(bench, id, async () => {
      if (bench.catalog.has(id)) await remove(bench, crew, bench.catalog.find(id), "expire", why);
    });
    return [];
  } catch (error) {
    return [{ actor: id, op: "remove", error: toFault(error) }];
  }
}

/** Removes sets whose requesters are gone. What does not work is left to `recover`, and stops nothing. */
export async function sweepExpired(
  bench: Bench,
  crew: Crew,
  expired: readonly SnapshotSet[],
  onEvent: (event: Event) => void,
): Promise<void> {
  for (const { id } of expired) {
    const [left] = await removeExpired(bench, crew, id);
    const how = left === undefined ? "was removed" : `could not be removed: ${left.error.message}`;
    const message = `Set ${id}, whose requester is gone, ${how}`;
    onEvent({ type: "warning", at: new Date().toISOString(), ms: 0, message });
  }
}

/** Lease files of nobody, once no record names them any more. */
export function forgetExpired({ catalog, state }: Bench): void {
  const expired = expiredLeases(state);
  if (expired.length === 0) return;
  const named = new Set(catalog.list().sets.flatMap(({ lease }) => lease?.id ?? []));
  for (const id of expired) if (!named.has(id)) forgetLease(state, id);
}
