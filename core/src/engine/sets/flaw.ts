import type { SnapshotSet } from "../../base/schema/types.js";
import { isLowerConsistency } from "../../plan/consistency.js";

/** Why a set may not be worth what it was taken for, by its record; null: nothing is known against it. */
export function flawOf(set: SnapshotSet): string | null {
  if (set.snapshots.some(({ snapshot }) => snapshot.lost !== undefined)) return "a snapshot is lost";
  if (set.snapshots.some(({ snapshot }) => snapshot.unseen !== undefined)) return "a snapshot could not be seen";
  if (set.snapshots.some(({ snapshot }) => snapshot.state === "creating")) return "a snapshot is not finished";
  if (set.snapshots.some(({ removalAt }) => removalAt !== undefined)) return "its removal has begun";
  if ((set.verified ?? []).some(({ result }) => result === "does-not-open")) return "does not open";
  if (set.writers.some(({ repair }) => repair?.state === "failed")) return "could not be repaired";
  return isLowerConsistency(set.consistency, set.asked) ? `${set.consistency}, asked ${set.asked}` : null;
}
