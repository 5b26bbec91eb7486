import { mkdirSync } from "node:fs";
import path from "node:path";
import { audit } from "../../store/audit.js";
import { isHeld } from "../../store/retention.js";
import type { Settings } from "../../base/config/settings.js";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider, isWriter, type Session } from "../../host/isolation/session.js";
import type { View } from "../../host/contract/provider.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { Exposed, RecordedExposure, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { Crew } from "../../host/plugin-workers.js";
import { Journal } from "../../store/journal.js";
import { removeEmpty } from "../../transaction/repair.js";
import { undoAll } from "../../transaction/undo-all.js";
import * as mirror from "./mirror.js";
import { refuseLost } from "./lost-snapshots.js";
import type { Bench, Completed } from "../types.js";

/**
 * What is done with a set that exists. Each writes the record again as soon as something has changed, and no other transaction of
 * this process holds volumes.
 */

/**
 * @param at An empty folder below which the pictures are to be found, too; null: they lie where the providers show them.
 * @throws HoldstillError E_SNAPSHOT_LOST
 */
export async function expose(
  { catalog, settings, stillness }: Bench,
  crew: Crew,
  set: SnapshotSet,
  at: string | null = null,
): Promise<SnapshotSet> {
  refuseLost(set);
  const root = at === null ? null : mirror.placeFor(set, at);
  let now = set;
  for (const recorded of set.snapshots) {
    if (exposureOf(now, recorded) !== undefined) continue;
    const session = await providerOf(crew, recorded);
    const view: View = { access: "read-only", at: placeOf(settings, set, recorded) };
    await stillness.calm();
    mkdirSync(view.at, { recursive: true, mode: 0o711 });
    const exposed = await session.call("expose", [recorded.snapshot, view], settings.limits.seal);
    refuseForeign(set, recorded, session.who, exposed);
    const exposure = { by: recorded.by.instance, snapshot: recorded.snapshot.id, exposed };
    now = { ...now, exposed: [...(now.exposed ?? []), exposure] };
    await stillness.calm();
    catalog.write(now);
  }
  if (root === null) return now;
  await stillness.calm();
  now = mirror.raise(now, root, catalog.folder(set.id));
  catalog.write(now);
  return now;
}

/** One that cannot be concealed does not stop the others. */
export async function conceal(bench: Bench, crew: Crew, set: SnapshotSet): Promise<SnapshotSet> {
  let now = await unmirror(bench, set);
  await undoAll(set.snapshots, async (recorded) => {
    now = await concealOne(bench, crew, now, recorded);
  });
  return now;
}

/** The set is to stay: no lease ends it any more. Whoever reads it has done so. */
export async function keep(bench: Bench, crew: Crew, set: SnapshotSet): Promise<SnapshotSet> {
  const now = { ...(await conceal(bench, crew, set)) };
  delete now.lease;
  await bench.stillness.calm();
  bench.catalog.write(now);
  return now;
}

async function unmirror({ catalog, stillness }: Bench, set: SnapshotSet): Promise<SnapshotSet> {
  await stillness.calm();
  const now = mirror.drop(set);
  if (set.mirror !== undefined) catalog.write(now);
  return now;
}

/** Also where the record knows of no exposure: who made it may have died before he could write it down. */
async function concealOne(
  { catalog, settings, stillness }: Bench,
  crew: Crew,
  set: SnapshotSet,
  recorded: RecordedSnapshot,
): Promise<SnapshotSet> {
  const session = await providerOf(crew, recorded);
  await session.call("conceal", [recorded.snapshot], settings.limits.abort);
  await stillness.calm();
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
 * @throws HoldstillError E_SET_HELD before anything is touched.
 */
export async function remove(
  bench: Bench,
  crew: Crew,
  set: SnapshotSet,
  action: "delete" | "expire" = "delete",
  why?: string,
): Promise<SnapshotSet> {
  const { id, holdUntil: until = "" } = set;
  if (isHeld(set, new Date())) throw new HoldstillError("E_SET_HELD", { set: id, until });
  await bench.stillness.calm();
  audit(bench, action, set, why);
  let now = await unmirror(bench, set);
  const failed: RecordedSnapshot[] = [];
  let first: unknown;
  // Forks before what they are forks of.
  for (const recorded of set.snapshots.toSorted((a, b) => forkRank(b) - forkRank(a))) {
    try {
      now = await concealOne(bench, crew, now, recorded);
      const session = await providerOf(crew, recorded);
      await session.call("remove", [recorded.snapshot], bench.settings.limits.seal);
    } catch (error) {
      failed.push(recorded);
      first ??= error;
    }
  }
  await bench.stillness.calm();
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
export async function complete(
  { catalog, settings, stillness }: Bench,
  crew: Crew,
  set: SnapshotSet,
  outcome: BackupOutcome,
): Promise<Completed> {
  const held = set.writers.filter((writer) => writer.state === "held");
  const failed = await Promise.all(
    held.map(async ({ by }) => {
      try {
        const session = await crew.session(by.instance);
        if (isWriter(session) && session.offers("complete")) {
          await session.call("complete", [set, outcome], settings.limits.complete);
        }
        return [];
      } catch (error) {
        return [{ writer: by.instance, error: toFault(error) }];
      }
    }),
  );
  await stillness.calm();
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

async function providerOf(crew: Crew, { by }: RecordedSnapshot): Promise<Session<"provider">> {
  const session = await crew.session(by.instance);
  if (!isProvider(session))
    throw new HoldstillError("E_PLUGIN_UNRESOLVED", { use: by.plugin, instance: by.instance, candidates: [] });
  return session;
}
