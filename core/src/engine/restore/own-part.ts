import type { RestoreContents, SnapshotSet } from "../../base/schema/types.js";
import { replacedSnapshots } from "../sets/exposed-trees.js";

/**
 * The set as one writer of it sees it: a component belongs to the instance that the record names, whatever its facts say. Its
 * snapshots are those whose contents are restored.
 */
export function ownPart(set: SnapshotSet, instance: string, contents: RestoreContents): SnapshotSet {
  const replaced = replacedSnapshots(set, contents);
  return {
    ...set,
    snapshots: set.snapshots.filter(({ snapshot }) => !replaced.has(snapshot.id)),
    components: set.components.filter(({ writer }) => writer === instance),
    writers: set.writers.filter(({ by }) => by.instance === instance),
  };
}
