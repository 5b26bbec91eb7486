import type { Snapshot, SnapshotSet } from "../../base/schema/types.js";
import type { ProviderStatus } from "../types.js";

/** From this usage on, percent, space is warned of. */
export const FULL_PERCENT = 80;

/**
 * The sets as they are now: with the usage of each snapshot's space, and with the snapshots that are lost, as far as the providers
 * could be asked. A snapshot that its provider does not know is lost.
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

/** @param gone Why the snapshot is lost by the record, if it is. */
function stateOf(
  now: Snapshot | undefined,
  gone = "its provider no longer knows it",
): Pick<Snapshot, "usage" | "lost"> {
  if (now === undefined) return { lost: gone };
  const { usage, lost } = now;
  return { ...(usage === undefined ? {} : { usage }), ...(lost === undefined ? {} : { lost }) };
}
