import { hostname } from "node:os";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type {
  Component,
  RecordedSnapshot,
  Residue,
  SnapshotSet,
  UnrecordedSet,
  Volume,
} from "../../base/schema/types.js";
import { isSetId } from "../../plan/set-id.js";
import { ownVersion } from "../../installation.js";
import type { Catalog } from "../../store/catalog.js";
import type { EngineContext, ProviderStatus } from "../types.js";

/** The sets of which providers list snapshots, and which neither a record nor what is `known` otherwise names. */
export function unrecordedSets(
  providers: readonly ProviderStatus[],
  known: ReadonlySet<string>,
  catalog: Catalog,
): UnrecordedSet[] {
  const sets = new Map<string, [RecordedSnapshot, ...RecordedSnapshot[]]>();
  for (const provider of providers) {
    if (!("snapshots" in provider)) continue;
    const { instance, plugin, version } = provider.who;
    for (const snapshot of provider.snapshots) {
      if (!isSetId(snapshot.setId) || known.has(snapshot.setId) || catalog.has(snapshot.setId)) continue;
      const recorded = { by: { instance, plugin, version }, snapshot };
      const others = sets.get(snapshot.setId);
      if (others === undefined) sets.set(snapshot.setId, [recorded]);
      else others.push(recorded);
    }
  }
  return [...sets].map(([id, snapshots]) => ({ type: "unrecorded", id, createdAt: firstOf(snapshots), snapshots }));
}

/** Writes a record, with which the set can be shown, restored, and deleted as any other. */
export async function adopt({ store }: EngineContext, found: UnrecordedSet): Promise<Residue[]> {
  try {
    await store.prepare();
    await store.journals.withLock(found.id, () => store.catalog.write(recordOf(found)));
    return [];
  } catch (error) {
    return [{ actor: found.id, op: "adopt", error: toFault(error) }];
  }
}

/**
 * What storage knows of a set. What the applications did when it was cut is not known.
 *
 * @throws HoldstillError E_NOT_ADOPTABLE
 */
function recordOf({ id, createdAt, snapshots }: UnrecordedSet): SnapshotSet {
  const volumes = new Map(
    snapshots.map(({ by, snapshot }): [string, Volume] => {
      const { volume, volumeId } = snapshot;
      if (volume !== undefined) return [volumeId, { ...volume, id: volumeId }];
      throw new HoldstillError("E_NOT_ADOPTABLE", { set: id, snapshot: snapshot.id, provider: by.instance });
    }),
  );
  const paths = [...volumes.values()].flatMap((volume) => volume.paths);
  const torn = new Set(
    snapshots.flatMap(({ snapshot }) => (snapshot.pointInTime === false ? [snapshot.volumeId] : [])),
  );
  const consistency = torn.size === 0 ? "crash" : "none";
  return {
    recordVersion: 1,
    id,
    tags: {},
    createdAt,
    host: hostname(),
    holdstill: ownVersion(),
    targets: paths,
    cut: torn.size === 0 ? "per-volume" : "fuzzy",
    asked: consistency,
    consistency,
    frozenMs: 0,
    components: [...volumes.values()].map((volume) => ({
      writer: null,
      component: { ...kindOf(volume), paths: volume.paths, tolerates: "fuzzy" },
      volumes: [volume.id],
      consistency: torn.has(volume.id) ? "none" : "crash",
      reason: "the record of the set was lost, and this one was made of what storage knows",
    })),
    writers: [],
    volumes: [...volumes.values()],
    snapshots: snapshots.map(
      ({ by, snapshot: { volume: _volume, usage: _usage, pointInTime: _instant, ...snapshot } }) => ({ by, snapshot }),
    ),
    timeline: [],
  };
}

const kindOf = ({ kind }: Volume): Pick<Component, "name" | "kind"> =>
  kind === "block" ? { name: "device", kind: "device" } : { name: "files", kind: "files" };

const firstOf = (snapshots: readonly RecordedSnapshot[]): string =>
  snapshots.map(({ snapshot }) => snapshot.createdAt).toSorted()[0] ?? new Date(0).toISOString();
