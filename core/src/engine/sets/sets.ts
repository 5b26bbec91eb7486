import { mkdirSync } from "node:fs";
import path from "node:path";
import { audit } from "../../store/audit.js";
import { isRetained } from "../../store/retention.js";
import type { Settings } from "../../base/config/settings.js";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider, isWriter, type Session } from "../../host/isolation/session.js";
import type { View } from "../../host/contract/provider.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { Exposed, RecordedExposure, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { Journal } from "../../store/journal.js";
import { removeEmpty } from "../../transaction/repair.js";
import { undoAll } from "../../transaction/undo-all.js";
import * as mirror from "./mount-at.js";
import { refuseLost } from "./lost-snapshots.js";
import type { EngineContext, Completed } from "../types.js";

/**
 * What is done with a set that exists. Each writes the record again as soon as something has changed, and no other transaction of
 * this process holds volumes.
 */

/**
 * @param at An empty folder below which the snapshots are to be found, too; null: they lie where the providers show them.
 * @throws HoldstillError E_SNAPSHOT_LOST
 */
export async function exposeSet(
  { catalog, settings, writeGate }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  at: string | null = null,
): Promise<SnapshotSet> {
  refuseLost(set);
  const root = at === null ? null : mirror.checkMountFolder(set, at);
  let now = set;
  for (const recorded of set.snapshots) {
    if (exposureOf(now, recorded) !== undefined) continue;
    const session = await providerOf(workers, recorded);
    const view: View = { access: "read-only", at: placeOf(settings, set, recorded) };
    await writeGate.pass();
    mkdirSync(view.at, { recursive: true, mode: 0o711 });
    const exposed = await session.call("expose", [recorded.snapshot, view], settings.limits.seal);
    refuseForeign(set, recorded, session.who, exposed);
    const exposure = { by: recorded.by.instance, snapshot: recorded.snapshot.id, exposed };
    now = { ...now, exposed: [...(now.exposed ?? []), exposure] };
    await writeGate.pass();
    catalog.write(now);
  }
  if (root === null) return now;
  await writeGate.pass();
  now = mirror.mountSet(now, root, catalog.folder(set.id));
  catalog.write(now);
  return now;
}

/** One that cannot be unexposed does not stop the others. */
export async function unexposeSet(
  bench: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
): Promise<SnapshotSet> {
  let now = await unmirror(bench, set);
  await undoAll(set.snapshots, async (recorded) => {
    now = await concealOne(bench, workers, now, recorded);
  });
  return now;
}

/** The set is to stay: no lease ends it any more. Whoever reads it has done so. */
export async function keepSet(bench: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<SnapshotSet> {
  const now = { ...(await unexposeSet(bench, workers, set)) };
  delete now.lease;
  await bench.writeGate.pass();
  bench.catalog.write(now);
  return now;
}

async function unmirror({ catalog, writeGate }: EngineContext, set: SnapshotSet): Promise<SnapshotSet> {
  await writeGate.pass();
  const now = mirror.unmountSet(set);
  if (set.exposedAt !== undefined) catalog.write(now);
  return now;
}

/** Also where the record knows of no exposure: who made it may have died before he could write it down. */
async function concealOne(
  { catalog, settings, writeGate }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  recorded: RecordedSnapshot,
): Promise<SnapshotSet> {
  const session = await providerOf(workers, recorded);
  await session.call("unexpose", [recorded.snapshot], settings.limits.abort);
  await writeGate.pass();
  removeEmpty(placeOf(settings, set, recorded));
  const exposure = exposureOf(set, recorded);
  if (exposure === undefined) return set;
  const now = { ...set, exposed: set.exposed?.filter((one) => one !== exposure) ?? [] };
  catalog.write(now);
  return now;
}

/**
 * Removes every snapshot, then the record. A snapshot that cannot be removed keeps the record; the others are removed all the same.
 *
 * @throws HoldstillError E_SET_RETAINED before anything is touched.
 */
export async function removeSet(
  bench: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  action: "delete" | "expire" = "delete",
  why?: string,
): Promise<SnapshotSet> {
  const { id, retainUntil: until = "" } = set;
  if (isRetained(set, new Date())) throw new HoldstillError("E_SET_RETAINED", { set: id, until });
  await bench.writeGate.pass();
  audit(bench, action, set, why);
  let now = await unmirror(bench, set);
  const failed: RecordedSnapshot[] = [];
  let first: unknown;
  // Forks before what they are forks of.
  for (const recorded of set.snapshots.toSorted((a, b) => forkRank(b) - forkRank(a))) {
    try {
      now = await concealOne(bench, workers, now, recorded);
      const session = await providerOf(workers, recorded);
      await session.call("remove", [recorded.snapshot], bench.settings.limits.seal);
    } catch (error) {
      failed.push(recorded);
      first ??= error;
    }
  }
  await bench.writeGate.pass();
  if (failed.length === 0) {
    bench.catalog.remove(id);
    Journal.forget(bench.state, id);
    return { ...now, snapshots: [] };
  }
  bench.catalog.write({ ...now, snapshots: failed });
  throw first;
}

const forkRank = ({ snapshot }: RecordedSnapshot): number => (snapshot.of === undefined ? 0 : 1);

/** Tells the writers that were held how the backup went. Their failures are said, and change nothing. */
export async function completeSet(
  { catalog, settings, writeGate }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  outcome: BackupOutcome,
): Promise<Completed> {
  const held = set.writers.filter((writer) => writer.state === "frozen");
  const failed = await Promise.all(
    held.map(async ({ by }) => {
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
  await writeGate.pass();
  const now = { ...set, outcome: { ...outcome, at: new Date().toISOString() } };
  catalog.write(now);
  return { set: now, failed: failed.flat() };
}

/** A provider shows what was captured, and nothing else. */
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

/** Where a snapshot may be mounted. */
function placeOf({ exposeDir }: Settings, { id, snapshots }: SnapshotSet, recorded: RecordedSnapshot): string {
  return path.join(exposeDir, id, String(snapshots.findIndex(({ snapshot }) => snapshot.id === recorded.snapshot.id)));
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
