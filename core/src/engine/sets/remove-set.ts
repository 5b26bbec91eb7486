import { HoldstillError, isHoldstillError, toFault } from "../../base/errors/error.js";
import type { Fault, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { isRetained } from "../../store/retention.js";
import { releaseReserve } from "../../store/space-reserve.js";
import type { EngineContext } from "../types.js";
import { providerOf, unexposeOne, unmount } from "./sets.js";
import { keyOf, listedBySet, strayForks } from "./stray-forks.js";

/** Of a snapshot that was removed while another one of its set could not be. */
const DELETED = "it was deleted with a part of its set";

/** What a removal has left of a set. */
interface SetRemoval {
  /** Its snapshots are those that their providers did not list before. They may still exist, so a tombstone has them. */
  readonly set: SnapshotSet;
  /** One for each snapshot that could not be removed, or not even unexposed. */
  readonly errors: readonly unknown[];
  /** Why providers could not list what they have. */
  readonly listErrors: readonly Fault[];
}

/** As tryRemoval. @throws the first error; E_SET_RETAINED before anything is touched. */
export async function removeSet(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
): Promise<SnapshotSet> {
  const removal = await tryRemoval(context, workers, set);
  if (removal.errors.length > 0) throw removal.errors[0];
  return removal.set;
}

/**
 * Removes every snapshot, then the record. If a snapshot cannot be removed, the record stays, and has the others as lost.
 *
 * @throws HoldstillError E_SET_RETAINED before anything is touched.
 */
export async function tryRemoval(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  action: "delete" | "expire" = "delete",
  reason?: string,
): Promise<SetRemoval> {
  const { now, failed, unseen, errors, listErrors } = await removeSnapshots(context, workers, set, action, reason);
  if (failed.length === 0) {
    await dropRecord(context, set, unseen);
    return { set: { ...now, snapshots: unseen }, errors, listErrors };
  }
  const left = new Set([...failed, ...unseen].map(keyOf));
  const snapshots = now.snapshots.map((recorded): RecordedSnapshot =>
    left.has(keyOf(recorded))
      ? recorded
      : { ...recorded, snapshot: { ...recorded.snapshot, lost: recorded.snapshot.lost ?? DELETED } },
  );
  const kept = { ...now, snapshots };
  await context.store.catalog.write(kept);
  return { set: kept, errors, listErrors };
}

/**
 * Removes every snapshot that can be removed, and the record in any case. For storage that no longer exists.
 *
 * @returns Why snapshots could not be removed, and may still exist.
 * @throws HoldstillError E_SET_RETAINED before anything is touched.
 */
export async function forgetSet(context: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<Fault[]> {
  const { failed, unseen, errors } = await removeSnapshots(context, workers, set, "delete", "forgotten");
  await dropRecord(context, set, [...failed, ...unseen]);
  return errors.map((error) => toFault(error));
}

/** @param left What may still exist. */
async function dropRecord(
  { store }: EngineContext,
  { id }: SnapshotSet,
  left: readonly RecordedSnapshot[],
): Promise<void> {
  // A process that died while it verified or repaired the set has left its folders.
  await store.exposures.removeAllOf(id);
  await store.tombstones.add(id, left);
  await store.catalog.remove(id);
  await store.journals.forget(id);
}

interface Removed {
  now: SnapshotSet;
  failed: RecordedSnapshot[];
  /** In the same order. */
  errors: unknown[];
  /** Those that were not listed before: that the call succeeded is then no proof that they are gone. */
  unseen: RecordedSnapshot[];
  listErrors: readonly Fault[];
}

/** One that cannot be removed does not stop the others. */
async function removeSnapshots(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  action: "delete" | "expire",
  reason?: string,
): Promise<Removed> {
  const { store, settings, requester } = context;
  const { id, retainUntil: until = "" } = set;
  if (isRetained(set, store.catalog.clock.believed())) throw new HoldstillError("E_SET_RETAINED", { set: id, until });
  await store.gate.write(() => releaseReserve(store.state));
  await store.audit.note(requester, action, set, reason);
  let now = await unmount(context, set);
  const { listed, errors: listErrors } = await listedBySet(workers, set, settings.limits.identify);
  const seen = new Set(listed.map(keyOf));
  now = await noteRemoval(context, now, seen);
  const removed: Omit<Removed, "now"> = { failed: [], errors: [], unseen: [], listErrors };
  // A fork before the snapshot that it is a fork of.
  for (const recorded of [...now.snapshots, ...strayForks(now, listed)].toSorted((a, b) => forkRank(b) - forkRank(a))) {
    try {
      // What may still be exposed is not removed: it may be in use, and a removal that succeeds would hide why unexpose failed.
      now = await unexposeOne(context, workers, now, recorded);
      const session = await providerOf(workers, recorded);
      await session.call("remove", [recorded.snapshot], settings.limits.seal);
      // What a revert has used up, or an earlier removal has removed, is not listed.
      const { removalAt, snapshot } = recorded;
      if (!seen.has(keyOf(recorded)) && snapshot.lost === undefined && removalAt === undefined)
        removed.unseen.push(recorded);
    } catch (error) {
      removed.failed.push(recorded);
      removed.errors.push(error);
      // The other snapshots of its provider need a worker.
      if (isHoldstillError(error) && (error.code === "E_DEADLINE" || error.code === "E_PLUGIN_DIED"))
        await workers.retire(recorded.by.instance);
    }
  }
  return { now, ...removed };
}

/** If this process is killed, or a call has an effect and no answer, the next removal knows why a snapshot is not listed. */
async function noteRemoval(
  { store }: EngineContext,
  set: SnapshotSet,
  seen: ReadonlySet<string>,
): Promise<SnapshotSet> {
  if (seen.size === 0) return set;
  const removalAt = new Date().toISOString();
  const snapshots = set.snapshots.map((one) => (seen.has(keyOf(one)) ? { ...one, removalAt } : one));
  const noted = { ...set, snapshots };
  await store.catalog.write(noted);
  return noted;
}

const forkRank = ({ snapshot }: RecordedSnapshot): number => (snapshot.of === undefined ? 0 : 1);
