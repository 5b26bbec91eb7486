import type { Fault, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { listSnapshots } from "../usage/status.js";

/** What the providers of the set list now, of any set. Of one that fails: nothing, and its error. */
export async function listedBySet(
  workers: PluginWorkers,
  { snapshots }: SnapshotSet,
  limitMs: number,
): Promise<{ listed: RecordedSnapshot[]; errors: Fault[] }> {
  const instances = new Set(snapshots.map(({ by }) => by.instance));
  const answers = await listSnapshots(workers, limitMs, instances);
  const listed = answers.flatMap((one) => {
    if (!("snapshots" in one)) return [];
    const { instance, plugin, version } = one.who;
    return one.snapshots.map((snapshot) => ({ by: { instance, plugin, version }, snapshot }));
  });
  return { listed, errors: answers.flatMap((one) => ("error" in one ? one.error : [])) };
}

/** Forks that a repair has made whose process died before it could write them down. */
export function strayForks({ id, snapshots }: SnapshotSet, listed: readonly RecordedSnapshot[]): RecordedSnapshot[] {
  const known = new Set(snapshots.map(keyOf));
  return listed.filter(
    (one) =>
      one.snapshot.setId === id &&
      one.snapshot.of !== undefined &&
      known.has(keyOf({ by: one.by, snapshot: { id: one.snapshot.of } })) &&
      !known.has(keyOf(one)),
  );
}

export const keyOf = ({ by, snapshot }: { by: { instance: string }; snapshot: { id: string } }): string =>
  `${by.instance} ${snapshot.id}`;
