import { HoldstillError } from "../../base/errors/error.js";
import type { Session } from "../../host/isolation/session.js";
import type { RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { EngineContext } from "../types.js";

/**
 * Writes into the record which snapshots a revert has used up, as LVM's merge does: those that their providers no longer list, or
 * report as lost. If a provider fails, or does not see all of its storage, its snapshots stay in the record as they were.
 */
export async function recordLost(
  { store, settings }: EngineContext,
  set: SnapshotSet,
  reverted: readonly (readonly [RecordedSnapshot, Session<"provider">])[],
): Promise<SnapshotSet> {
  const gone = new Map<RecordedSnapshot, string>();
  const usedUp = `a revert has used it up at ${new Date().toISOString()}`;
  for (const session of new Set(reverted.map(([, one]) => one))) {
    const listed = await session.call("list", [], settings.limits.identify).catch(() => null);
    if (listed === null) continue;
    const snapshots = Array.isArray(listed) ? listed : listed.snapshots;
    const there = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
    for (const [recorded, by] of reverted) {
      if (by !== session) continue;
      const now = there.get(recorded.snapshot.id);
      const lost = now === undefined && Array.isArray(listed) ? usedUp : now?.lost;
      if (lost !== undefined) gone.set(recorded, lost);
    }
  }
  if (gone.size === 0) return set;
  const snapshots = set.snapshots.map((one) => {
    const lost = gone.get(one);
    return lost === undefined ? one : { ...one, snapshot: { ...one.snapshot, lost } };
  });
  const now = { ...set, snapshots };
  await store.catalog.write(now);
  return now;
}

/** @throws HoldstillError E_SNAPSHOT_LOST if, by the record, one of the set's snapshots can no longer be exposed */
export function refuseLost({ id: set, snapshots }: SnapshotSet): void {
  for (const { snapshot } of snapshots) {
    const { id, lost: reason } = snapshot;
    if (reason !== undefined) throw new HoldstillError("E_SNAPSHOT_LOST", { set, snapshot: id, reason });
  }
}
