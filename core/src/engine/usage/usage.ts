import type { Snapshot, SnapshotSet } from "../../base/schema/types.js";
import type { ProviderStatus } from "../types.js";

/** A room that is as full as this, percent, is worth a look. */
export const FULL_PERCENT = 80;

/**
 * The sets as they are now: with how full the room of each snapshot is, and which one is lost, where the provider answered.
 * A snapshot that its provider does not know of is lost.
 */
export function withCurrentUsage(sets: readonly SnapshotSet[], providers: readonly ProviderStatus[]): SnapshotSet[] {
  const answers = new Map(
    providers.flatMap((one) =>
      "snapshots" in one
        ? [[one.who.instance, new Map(one.snapshots.map((snapshot) => [snapshot.id, snapshot]))] as const]
        : [],
    ),
  );
  return sets.map((set) => ({
    ...set,
    snapshots: set.snapshots.map((recorded) => {
      const known = answers.get(recorded.by.instance);
      if (known === undefined) return recorded;
      return {
        ...recorded,
        snapshot: { ...recorded.snapshot, ...stateOf(known.get(recorded.snapshot.id), recorded.snapshot.lost) },
      };
    }),
  }));
}

/** @param gone Why the record says that it is gone, if it does. */
function stateOf(
  now: Snapshot | undefined,
  gone = "its provider does not know it any more",
): Pick<Snapshot, "usage" | "lost"> {
  if (now === undefined) return { lost: gone };
  const { usage: fill, lost } = now;
  return { ...(fill === undefined ? {} : { usage: fill }), ...(lost === undefined ? {} : { lost }) };
}
