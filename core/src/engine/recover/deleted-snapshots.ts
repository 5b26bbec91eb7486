import type { Store } from "../../store/store.js";
import type { Leftover, ProviderStatus } from "../types.js";

type Deleted = Extract<Leftover, { type: "snapshot" | "awaited" }>;

/**
 * The snapshots of deleted sets that could not be seen when they were deleted: those that a provider lists now can be removed, and the
 * others are awaited. All snapshots of a deleted set go, also those that its record did not have.
 */
export function deletedSnapshots({ tombstones, catalog }: Store, providers: readonly ProviderStatus[]): Deleted[] {
  return tombstones.read().flatMap(({ id, deletedAt, snapshots }): Deleted[] => {
    if (catalog.has(id)) return [];
    const seen = providers.flatMap((one) =>
      ("snapshots" in one ? one.snapshots : [])
        .filter(({ setId }) => setId === id)
        .map((snapshot): Deleted => ({ type: "snapshot", provider: one.who.instance, snapshot, deletedAt })),
    );
    const isSeen = (provider: string, snapshot: string): boolean =>
      seen.some((one) => one.type === "snapshot" && one.provider === provider && one.snapshot.id === snapshot);
    const awaited = snapshots.filter(({ by, snapshot }) => !isSeen(by.instance, snapshot.id));
    return awaited.length === 0 ? seen : [...seen, { type: "awaited", id, deletedAt, snapshots: awaited }];
  });
}
