import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { RecordedExposure, RecordedSnapshot, Snapshot, SnapshotSet, Volume } from "../../base/schema/types.js";
import type { View } from "../../host/contract/provider.js";
import { isProvider, isWriter, type Session } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { checkExposed, passageTo } from "../../os/path/exposed-tree.js";
import { checkExposeAnswer } from "../../transaction/check-expose-answer.js";
import { undoAll } from "../../transaction/undo-all.js";
import type { BackupResult, Completed, EngineContext } from "../types.js";
import { readySet } from "./ready-set.js";
import * as mounted from "./mount-at.js";

/**
 * What can be done with a set that exists. Each function writes the record again as soon as something has changed.
 */

/**
 * @param at An empty folder below which the snapshots are also mounted; null: only where the providers expose them.
 * @throws HoldstillError E_SNAPSHOT_LOST, E_SNAPSHOT_CREATING; E_PATH_UNSAFE where a captured path is not what it was when it was planned. Then nothing more is
 * exposed than before.
 */
export async function exposeSet(
  context: EngineContext,
  workers: PluginWorkers,
  known: SnapshotSet,
  at: string | null = null,
): Promise<SnapshotSet> {
  const { store } = context;
  const set = await readySet(context, workers, known);
  using folder = at === null ? null : mounted.openMountFolder(set, at);
  let now = set;
  const fresh: RecordedSnapshot[] = [];
  try {
    for (const recorded of set.snapshots) {
      if (exposureOf(now, recorded) !== undefined) continue;
      fresh.push(recorded);
      now = await exposeOne(context, workers, now, recorded);
    }
    if (fresh.length > 0)
      await store.exposures.admit(set.id, passageTo((now.exposed ?? []).flatMap(({ exposed }) => exposed.trees)));
    if (folder === null) return now;
    await store.gate.pass();
    now = mounted.mountSet(now, folder, store.catalog.folder(set.id));
    await store.catalog.write(now);
    return now;
  } catch (error) {
    // What cannot be undone is a leftover, which `recover` finds. The caller needs the first cause.
    await undoAll(fresh, async (recorded) => {
      now = await unexposeOne(context, workers, now, recorded);
    }).catch(() => undefined);
    throw error;
  }
}

/** Root alone may pass, until it is known what hides the original. */
const rootAlone = { gid: 0, mode: 0o700 };

async function exposeOne(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  recorded: RecordedSnapshot,
): Promise<SnapshotSet> {
  const session = await providerOf(workers, recorded);
  const view: View = { access: "read-only", at: folderOf(store, set, recorded) };
  await store.exposures.make(view.at);
  await store.exposures.admit(set.id, rootAlone);
  const exposed = await session.call("expose", [recorded.snapshot, view], settings.limits.seal);
  checkExposeAnswer(session.who, exposed, volumeOf(set, recorded.snapshot));
  checkExposed(exposed.trees);
  for (const device of exposed.devices ?? [])
    await store.exposures.admitToDevice(device, exposed.readOnly ? "read-only" : "writable");
  const exposure = { by: recorded.by.instance, snapshot: recorded.snapshot.id, exposed };
  const now = { ...set, exposed: [...(set.exposed ?? []), exposure] };
  await store.catalog.write(now);
  return now;
}

/** A snapshot that cannot be unexposed does not stop the others. */
export async function unexposeSet(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
): Promise<SnapshotSet> {
  let now = await unmount(context, set);
  await undoAll(set.snapshots, async (recorded) => {
    now = await unexposeOne(context, workers, now, recorded);
  });
  return now;
}

/** The set stays: no lease ends it any more. */
export async function keepSet(context: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<SnapshotSet> {
  const now = { ...(await unexposeSet(context, workers, set)) };
  delete now.lease;
  await context.store.catalog.write(now);
  return now;
}

export async function unmount({ store }: EngineContext, set: SnapshotSet): Promise<SnapshotSet> {
  await store.gate.pass();
  const now = mounted.unmountSet(set);
  if (set.exposedAt !== undefined) await store.catalog.write(now);
  return now;
}

/** Also if the record contains no exposure: the process that made it may have died before it could write it down. */
export async function unexposeOne(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  recorded: RecordedSnapshot,
): Promise<SnapshotSet> {
  const session = await providerOf(workers, recorded);
  await session.call("unexpose", [recorded.snapshot], settings.limits.abort);
  await store.exposures.remove(folderOf(store, set, recorded));
  const exposure = exposureOf(set, recorded);
  if (exposure === undefined) return set;
  const now = { ...set, exposed: set.exposed?.filter((one) => one !== exposure) ?? [] };
  await store.catalog.write(now);
  return now;
}

/**
 * Notifies the writers that were frozen of the backup's result, and records it. A writer's failure is reported, and changes nothing.
 *
 * @throws HoldstillError E_USAGE for a set of another host: there the application is that may truncate its logs
 */
export async function completeSet(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  { command, ...outcome }: BackupResult,
): Promise<Completed> {
  if (set.imported !== undefined) {
    const problem = `Set ${set.id} was taken on another host, ${set.host}, where its writers are.`;
    throw new HoldstillError("E_USAGE", { problem, hint: `Report the result there: holdstill complete ${set.id}` });
  }
  const frozen = set.writers.filter((writer) => writer.state === "frozen");
  const failed = await Promise.all(
    frozen.map(async ({ by }) => {
      try {
        const session = await workers.session(by.instance);
        if (isWriter(session) && session.offers("complete")) {
          await session.call("complete", [set, outcome], settings.limits.complete);
        }
        return [];
      } catch (error) {
        return [{ writer: by.instance, error: toFault(error) }];
      }
    }),
  );
  const recorded = { ...outcome, ...(command === undefined ? {} : { command }), at: new Date().toISOString() };
  const now = { ...set, outcome: recorded };
  await store.catalog.write(now);
  await store.history.complete(set.id, recorded);
  return { set: now, failed: failed.flat() };
}

/** What the snapshot captured. */
export const volumeOf = ({ volumes }: SnapshotSet, { volumeId }: Snapshot): Volume | undefined =>
  volumes.find(({ id }) => id === volumeId);

/** Where a snapshot is exposed. */
function folderOf(
  { exposures }: EngineContext["store"],
  { id, snapshots }: SnapshotSet,
  recorded: RecordedSnapshot,
): string {
  return exposures.of(id, String(snapshots.findIndex(({ snapshot }) => snapshot.id === recorded.snapshot.id)));
}

function exposureOf(set: SnapshotSet, { by, snapshot }: RecordedSnapshot): RecordedExposure | undefined {
  return set.exposed?.find((one) => one.by === by.instance && one.snapshot === snapshot.id);
}

export async function providerOf(workers: PluginWorkers, { by }: RecordedSnapshot): Promise<Session<"provider">> {
  const session = await workers.session(by.instance);
  if (!isProvider(session))
    throw new HoldstillError("E_PLUGIN_UNRESOLVED", { use: by.plugin, instance: by.instance, candidates: [] });
  return session;
}
