import path from "node:path";
import type { ExposedTree, SnapshotSet } from "../../base/schema/types.js";

/** The exposed snapshots, one for each captured path: a repaired fork takes the place of its original. */
export function exposedTrees({ snapshots, exposed = [] }: SnapshotSet): ExposedTree[] {
  const forked = new Set(snapshots.map(({ snapshot }) => snapshot.of));
  return exposed.filter(({ snapshot }) => !forked.has(snapshot)).flatMap((one) => one.exposed.trees);
}

/** Where the snapshot of a path is exposed; null: the path was not captured. */
export function exposedPathOf(original: string, trees: readonly ExposedTree[]): string | null {
  const tree = trees
    .filter((one) => original === one.original || original.startsWith(path.join(one.original, "/")))
    .toSorted((a, b) => b.original.length - a.original.length)[0];
  return tree === undefined ? null : path.join(tree.path, path.relative(tree.original, original));
}
