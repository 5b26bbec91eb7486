import type { Context } from "holdstill/plugin";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";
import type { Store } from "./store.js";
import { deleteSubvolumes, type Subvolume, subvolumeAt, subvolumesBelow } from "./subvolume.js";

type Exec = Pick<Context, "exec">;

/** Removes one of the entry's subvolumes, with all that is in it. @throws PluginError CHANGED */
export async function removeNamed(entry: Entry, name: string, store: Store, ctx: Exec): Promise<void> {
  await deleteSubvolumes(store.top, await treeOf(entry, name, store, ctx), ctx);
}

/** A subvolume of the entry, proven to be its own, and those in it: the innermost first. @throws PluginError CHANGED */
export async function treeOf(entry: Entry, name: string, store: Store, ctx: Exec): Promise<string[]> {
  const at = store.pathOf(entry, name);
  const found = await subvolumeAt(store.top, at, ctx);
  if (found === null || !isOurs(entry, found)) {
    const message = `${at} on ${store.top.fs.source} is not a subvolume of ${entry.id}, so it is not removed.`;
    throw new PluginError("CHANGED", message, "See what it is, move it elsewhere, and try again.");
  }
  return await pathsIn(found, store, ctx);
}

/** The paths of a subvolume and of those in it, the innermost first. Only root can enter the store. */
export async function pathsIn(subvolume: Subvolume, { top }: Store, ctx: Exec): Promise<string[]> {
  const below = await subvolumesBelow(top, subvolume.path, ctx);
  return [subvolume, ...below].map(({ path }) => path).toReversed();
}

/** Whether the subvolume is one of the entry's, or a snapshot that was made of one. What has no UUID yet is known by its source. */
export function isOurs({ parts, whole }: Entry, { uuid, parentUuid }: Subvolume): boolean {
  const known = whole === undefined ? parts : [...parts, whole];
  return known.some((one) => one.uuid === uuid || (one.uuid ?? one.from) === parentUuid);
}
