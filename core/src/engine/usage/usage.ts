import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Fault, Snapshot, SnapshotSet } from "../../base/schema/types.js";
import type { ProviderStatus } from "../types.js";

/** From this usage on, percent, space is warned of. */
export const FULL_PERCENT = 80;

/**
 * The sets as they are now: with the usage of each snapshot's space, with the snapshots that are lost, and with those that could not be
 * seen. A snapshot that its provider does not know is lost, if the provider could look at all of its storage.
 */
export function withCurrentUsage(sets: readonly SnapshotSet[], providers: readonly ProviderStatus[]): SnapshotSet[] {
  const answers = new Map(providers.map((one) => [one.who.instance, one]));
  return sets.map((set) => ({
    ...set,
    snapshots: set.snapshots.map(({ by, snapshot }) => {
      // The record has the state of the time when it was written.
      const { state: _, ...rest } = snapshot;
      return { by, snapshot: { ...rest, ...stateOf(snapshot, answers.get(by.instance)) } };
    }),
  }));
}

/** The first snapshot that can no longer be read, as an error; null: there is none. */
export function lossIn(sets: readonly SnapshotSet[]): Fault | null {
  for (const { id: set, snapshots } of sets)
    for (const { snapshot } of snapshots)
      if (snapshot.lost !== undefined)
        return toFault(new HoldstillError("E_SNAPSHOT_LOST", { set, snapshot: snapshot.id, reason: snapshot.lost }));
  return null;
}

function stateOf(
  { id, lost: gone }: Snapshot,
  provider: ProviderStatus | undefined,
): Pick<Snapshot, "usage" | "lost" | "unseen" | "state"> {
  if (provider === undefined) return { unseen: "its provider is not in the config" };
  const now = "snapshots" in provider ? provider.snapshots.find((one) => one.id === id) : undefined;
  if (now !== undefined) {
    const { usage, lost, state } = now;
    return {
      ...(usage === undefined ? {} : { usage }),
      ...(lost === undefined ? {} : { lost }),
      ...(state === "creating" ? { state } : {}),
    };
  }
  if (gone !== undefined) return {};
  return "error" in provider ? { unseen: provider.error.message } : { lost: "its provider no longer knows it" };
}
