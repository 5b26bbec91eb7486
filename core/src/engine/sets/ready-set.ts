import { HoldstillError } from "../../base/errors/error.js";
import type { RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import { isProvider } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { asListed, isCreating } from "../../transaction/await-ready.js";
import type { EngineContext } from "../types.js";
import { refuseLost } from "./lost-snapshots.js";

/**
 * The set, if its snapshots can be read. If the record has a snapshot as unfinished, its provider is asked again, and the record
 * keeps the result.
 *
 * @throws HoldstillError E_SNAPSHOT_LOST, E_SNAPSHOT_CREATING
 */
export async function readySet(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
): Promise<SnapshotSet> {
  refuseLost(set);
  if (!set.snapshots.some(({ snapshot }) => isCreating(snapshot))) return set;
  const snapshots: RecordedSnapshot[] = [];
  for (const { by, snapshot } of set.snapshots) {
    const session = await workers.session(by.instance);
    const listed =
      isCreating(snapshot) && isProvider(session) ? await session.call("list", [], settings.limits.identify) : [];
    snapshots.push(...asListed([snapshot], listed).map((now) => ({ by, snapshot: now })));
  }
  const now = { ...set, snapshots };
  await store.catalog.write(now);
  const unfinished = snapshots.find(({ snapshot }) => isCreating(snapshot));
  if (unfinished === undefined) return now;
  throw new HoldstillError("E_SNAPSHOT_CREATING", { set: set.id, snapshot: unfinished.snapshot.id });
}
