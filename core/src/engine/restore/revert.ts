import { HoldstillError } from "../../base/errors/error.js";
import { isProvider, type Session } from "../../host/isolation/session.js";
import type { RecordedSnapshot, Restored, RestorePlan, SnapshotSet } from "../../base/schema/types.js";
import { readMounts } from "../../os/mounts.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { takeSafetySet } from "./safety-snapshot.js";
import { finishRestore, readyWriters, type Reverted } from "./restore.js";
import { recordLost } from "../sets/lost-snapshots.js";
import { readySet } from "../sets/ready-set.js";
import type { EngineContext } from "../types.js";

/**
 * The providers put whole volumes back, as they were at the cut. What was written since is lost, apart from a snapshot that they take
 * of it first if there is space.
 *
 * @throws HoldstillError E_NOT_OFFERED, E_SET_EXPOSED, E_SNAPSHOT_LOST, E_SNAPSHOT_CREATING
 */
export async function revertSet(context: EngineContext, workers: PluginWorkers, known: SnapshotSet): Promise<Reverted> {
  if ((known.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: known.id });
  const set = await readySet(context, workers, known);
  const pairs: [RecordedSnapshot, Session<"provider">][] = [];
  for (const recorded of set.snapshots.filter(({ snapshot }) => snapshot.of === undefined)) {
    const session = await workers.session(recorded.by.instance);
    if (!isProvider(session)) continue;
    if (!session.offers("revert")) throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "revert" });
    pairs.push([recorded, session]);
  }
  const writers = await readyWriters(context, workers, asCut(set));
  await context.store.audit.note(context.requester, "revert", set);
  const safety = await takeSafetySet(context, workers, set, pairs);
  const reverted: typeof pairs = [];
  let now = set;
  try {
    for (const pair of pairs) {
      const [{ snapshot }, session] = pair;
      await session.call("revert", [snapshot], context.settings.limits.copy);
      reverted.push(pair);
    }
  } finally {
    now = await recordLost(context, set, reverted);
  }
  const unmounted = writers.length === 0 ? [] : unmountedOf(set);
  // A writer finishes its data where it is mounted.
  if (unmounted.length > 0) return { set: now, steps: [], safety, unmounted, unfinished: [] };
  return { set: now, steps: [], safety, unfinished: await finishRestore(context, asCut(now), writers) };
}

/**
 * Asks the writers to finish data that a revert has put back while it was not mounted.
 *
 * @throws HoldstillError E_NOT_OFFERED, E_NOT_MOUNTED
 */
export async function finishRevert(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
): Promise<Restored> {
  const unmounted = unmountedOf(set);
  if (unmounted.length > 0) throw new HoldstillError("E_NOT_MOUNTED", { set: set.id, mountPoints: unmounted });
  const all = asCut(set);
  return { set, steps: [], unfinished: await finishRestore(context, all, await readyWriters(context, workers, all)) };
}

/** What a revert puts back: all of it, as it was cut. */
const asCut = (set: SnapshotSet): Pick<RestorePlan, "set" | "writers" | "contents"> => ({
  set,
  writers: [...new Set(set.components.flatMap(({ writer }) => writer ?? []))],
  contents: "as-cut",
});

/** Mount points of the set's file systems at which nothing is mounted now. */
function unmountedOf({ volumes }: SnapshotSet): string[] {
  const mounted = new Set(readMounts().map(({ mountPoint }) => mountPoint));
  return volumes
    .flatMap((volume) => (volume.kind === "block" ? [] : [volume.mountPoint]))
    .filter((mountPoint) => !mounted.has(mountPoint));
}
