import type { RequesterMark, SnapshotSet } from "../base/schema/types.js";

/**
 * The user whose set it is. Sets that were taken without the service, and those of root, are of the user that runs holdstill.
 *
 * @param keeper The user that the state directory belongs to.
 */
export function ownerOf(
  requester: Pick<RequesterMark, "uid"> | null | undefined,
  keeper = process.getuid?.() ?? 0,
): number {
  return requester === null || requester === undefined || requester.uid === 0 ? keeper : requester.uid;
}

/** In the order in which they were recorded, which does not depend on the clock. */
export const bySequence = (a: SnapshotSet, b: SnapshotSet): number =>
  (a.sequence ?? 0) - (b.sequence ?? 0) || (a.id < b.id ? -1 : 1);
