import path from "node:path";
import type { Exposed, ExposedDevice, ExposedTree, RestoreContents, SnapshotSet } from "../../base/schema/types.js";
import { isWithin } from "../../os/mounts.js";

/** The snapshots that others take the place of: a repaired fork that of its original, or the original that of all other forks. */
export function replacedSnapshots(set: SnapshotSet, contents: RestoreContents): ReadonlySet<string> {
  const forks = set.snapshots.flatMap(({ snapshot: { id, of } }) => (of === undefined ? [] : [{ id, of }]));
  return new Set(forks.map(({ id, of }) => (contents === "repaired" && isRepaired(id, set) ? of : id)));
}

/** Several writers may have data in one snapshot. What a repair that failed has left in it is of no use to any of them. */
function isRepaired(id: string, { writers }: SnapshotSet): boolean {
  const states = writers.flatMap(({ repair }) => (repair?.in.includes(id) === true ? [repair.state] : []));
  return states.length > 0 && states.every((state) => state === "repaired");
}

/** The exposed snapshots, one for each captured path. */
export function exposedTrees(set: SnapshotSet, contents: RestoreContents = "repaired"): ExposedTree[] {
  return shownOf(set, contents).flatMap(({ trees }) => trees);
}

/** The same of raw devices. */
export function exposedDevices(set: SnapshotSet, contents: RestoreContents = "repaired"): ExposedDevice[] {
  return shownOf(set, contents).flatMap(({ devices = [] }) => devices);
}

function shownOf(set: SnapshotSet, contents: RestoreContents): Exposed[] {
  const replaced = replacedSnapshots(set, contents);
  return (set.exposed ?? []).filter(({ snapshot }) => !replaced.has(snapshot)).map(({ exposed }) => exposed);
}

/** Where the snapshot of a path is exposed; null: the path was not captured. */
export function exposedTreeOf(original: string, trees: readonly ExposedTree[]): ExposedTree | null {
  const tree = trees
    .filter((one) => isWithin(original, one.original))
    .toSorted((a, b) => b.original.length - a.original.length)[0];
  if (tree === undefined) return null;
  return { original, path: path.join(tree.path, path.relative(tree.original, original)) };
}
