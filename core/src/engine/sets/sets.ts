import type { Who } from "../../base/errors/details.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Exposed, RecordedExposure, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { View } from "../../host/contract/provider.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import { isProvider, isWriter, type Session } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { isRetained } from "../../store/retention.js";
import { undoAll } from "../../transaction/undo-all.js";
import type { Completed, EngineContext } from "../types.js";
import { refuseLost } from "./lost-snapshots.js";
import * as mounted from "./mount-at.js";

/**
 * What can be done with a set that exists. Each function writes the record again as soon as something has changed.
 */

/**
 * @param at An empty folder below which the snapshots are also mounted; null: only where the providers expose them.
 * @throws HoldstillError E_SNAPSHOT_LOST
 */
export async function exposeSet(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  at: string | null = null,
): Promise<SnapshotSet> {
  refuseLost(set);
  const root = at === null ? null : mounted.checkMountFolder(set, at);
  let now = set;
  for (const recorded of set.snapshots) {
    if (exposureOf(now, recorded) !== undefined) continue;
    const session = await providerOf(workers, recorded);
    const view: View = { access: "read-only", at: folderOf(store, set, recorded) };
    await store.exposures.make(view.at);
    const exposed = await session.call("expose", [recorded.snapshot, view], settings.limits.seal);
    refuseForeign(set, recorded, session.who, exposed);
    const exposure = { by: recorded.by.instance, snapshot: recorded.snapshot.id, exposed };
    now = { ...now, exposed: [...(now.exposed ?? []), exposure] };
    await store.catalog.write(now);
  }
  if (root === null) return now;
  await store.gate.pass();
  now = mounted.mountSet(now, root, store.catalog.folder(set.id));
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

async function unmount({ store }: EngineContext, set: SnapshotSet): Promise<SnapshotSet> {
  await store.gate.pass();
  const now = mounted.unmountSet(set);
  if (set.exposedAt !== undefined) await store.catalog.write(now);
  return now;
}

/** Also if the record contains no exposure: the process that made it may have died before it could write it down. */
async function unexposeOne(
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
 * Removes every snapshot, then the record. If a snapshot cannot be removed, the record stays, and the others are removed.
 *
 * @throws HoldstillError E_SET_RETAINED before anything is touched.
 */
export async function removeSet(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  action: "delete" | "expire" = "delete",
  reason?: string,
): Promise<SnapshotSet> {
  const { store, settings, requester } = context;
  const { id, retainUntil: until = "" } = set;
  if (isRetained(set, new Date())) throw new HoldstillError("E_SET_RETAINED", { set: id, until });
  await store.audit.note(requester, action, set, reason);
  let now = await unmount(context, set);
  const failed: RecordedSnapshot[] = [];
  let first: unknown;
  // A fork before the snapshot that it is a fork of.
  for (const recorded of set.snapshots.toSorted((a, b) => forkRank(b) - forkRank(a))) {
    try {
      now = await unexposeOne(context, workers, now, recorded);
      const session = await providerOf(workers, recorded);
      await session.call("remove", [recorded.snapshot], settings.limits.seal);
    } catch (error) {
      failed.push(recorded);
      first ??= error;
    }
  }
  if (failed.length === 0) {
    await store.catalog.remove(id);
    await store.journals.forget(id);
    return { ...now, snapshots: [] };
  }
  await store.catalog.write({ ...now, snapshots: failed });
  throw first;
}

const forkRank = ({ snapshot }: RecordedSnapshot): number => (snapshot.of === undefined ? 0 : 1);

/** Notifies the writers that were frozen of the backup's result. A failure is reported, and changes nothing. */
export async function completeSet(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  outcome: BackupOutcome,
): Promise<Completed> {
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
  const now = { ...set, outcome: { ...outcome, at: new Date().toISOString() } };
  await store.catalog.write(now);
  return { set: now, failed: failed.flat() };
}

/** A provider exposes what was captured, and nothing else. */
function refuseForeign(set: SnapshotSet, { snapshot }: RecordedSnapshot, who: Who, { trees }: Exposed): void {
  const captured = set.volumes.find((volume) => volume.id === snapshot.volumeId)?.paths ?? [];
  const findings = trees.flatMap(({ original }, at) =>
    captured.includes(original)
      ? []
      : [
          {
            file: `${who.instance}.expose()`,
            pointer: `/trees/${at}/original`,
            seen: original,
            expected: captured.join(" or "),
          },
        ],
  );
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "expose", findings });
}

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

async function providerOf(workers: PluginWorkers, { by }: RecordedSnapshot): Promise<Session<"provider">> {
  const session = await workers.session(by.instance);
  if (!isProvider(session))
    throw new HoldstillError("E_PLUGIN_UNRESOLVED", { use: by.plugin, instance: by.instance, candidates: [] });
  return session;
}
