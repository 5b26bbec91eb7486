import { HoldstillError } from "../../base/errors/error.js";
import type { Session } from "../../host/isolation/session.js";
import type { RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { EngineContext } from "../types.js";

/**
 * Writes into the record which snapshots a revert has used up, as a merge of LVM's does: those that their providers do not list any
 * more, or say to be lost. Where a provider does not answer, its snapshots stay as they were.
 */
export async function recordLost(
  { catalog, settings }: EngineContext,
  set: SnapshotSet,
  reverted: readonly (readonly [RecordedSnapshot, Session<"provider">])[],
): Promise<SnapshotSet> {
  const spent = new Map<RecordedSnapshot, string>();
  const usedUp = `a revert has used it up at ${new Date().toISOString()}`;
  for (const session of new Set(reverted.map(([, one]) => one))) {
    const listed = await session.call("list", [], settings.limits.identify).catch(() => null);
    if (listed === null) continue;
    const there = new Map(listed.map((snapshot) => [snapshot.id, snapshot]));
    for (const [recorded, by] of reverted) {
      if (by !== session) continue;
      const now = there.get(recorded.snapshot.id);
      const lost = now === undefined ? usedUp : now.lost;
      if (lost !== undefined) spent.set(recorded, lost);
    }
  }
  if (spent.size === 0) return set;
  const snapshots = set.snapshots.map((one) => {
    const lost = spent.get(one);
    return lost === undefined ? one : { ...one, snapshot: { ...one.snapshot, lost } };
  });
  const now = { ...set, snapshots };
  catalog.write(now);
  return now;
}

/** @throws HoldstillError E_SNAPSHOT_LOST where the record says that one of the set's snapshots cannot be shown any more */
export function refuseLost({ id: set, snapshots }: SnapshotSet): void {
  for (const { snapshot } of snapshots) {
    const { id, lost: why } = snapshot;
    if (why !== undefined) throw new HoldstillError("E_SNAPSHOT_LOST", { set, snapshot: id, reason: why });
  }
}
