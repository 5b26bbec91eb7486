import { renameSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { btrfs } from "./btrfs.js";
import { compose, type Piece } from "./contents.js";
import { type Entry, NEW, OLD } from "./entry.js";
import { PluginError } from "./errors.js";
import { isOurs, pathsIn, removeNamed } from "./ownership.js";
import type { Store } from "./store.js";
import { deleteSubvolumes, type Subvolume, subvolumeAt } from "./subvolume.js";

type Exec = Pick<Context, "exec">;

/**
 * Puts a writable snapshot in the place of a subvolume, and removes that one. The entry has what is under way before anything is
 * renamed, so that `settleSwap` can end it after a crash.
 *
 * @throws PluginError CHANGED
 */
export async function swap(
  entry: Entry,
  pieces: readonly Piece[],
  old: Subvolume,
  store: Store,
  ctx: Exec,
): Promise<void> {
  const { top } = store;
  const planned = store.write({ ...entry, swap: { old: old.uuid, path: old.path } });
  const [made, kept] = [store.pathOf(entry, NEW), store.pathOf(entry, OLD)];
  try {
    await compose(pieces, made, store, ctx);
    renameSync(top.at(old.path), top.at(kept));
    // Another user may have renamed in the folder of the original.
    if ((await subvolumeAt(top, kept, ctx))?.uuid !== old.uuid) {
      renameSync(top.at(kept), top.at(old.path));
      throw new PluginError("CHANGED", `${old.path} was replaced meanwhile.`, "See who changed it, and try again.");
    }
    renameSync(top.at(made), top.at(old.path));
  } finally {
    await settleSwap(planned, store, ctx);
  }
}

/**
 * Ends what a revert has begun: if the snapshot is in the place of the original, that one is removed. Otherwise the original is
 * put back.
 *
 * @throws PluginError CHANGED
 */
export async function settleSwap(entry: Entry, store: Store, ctx: Exec): Promise<Entry> {
  const { swap: begun, ...rest } = entry;
  if (begun === undefined) return entry;
  const { top } = store;
  const kept = await subvolumeAt(top, store.pathOf(entry, OLD), ctx);
  if (kept !== null && kept.uuid !== begun.old) throw elsewhere(begun.path, kept.path);
  const there = await subvolumeAt(top, begun.path, ctx);
  // On disk before the original is removed.
  await btrfs(ctx, ["filesystem", "sync", top.path]);
  if (kept !== null && there === null) renameSync(top.at(kept.path), top.at(begun.path));
  else if (there !== null && isOurs(entry, there)) {
    for (const one of store.all()) if (one.origin === begun.old) store.write({ ...one, origin: there.uuid });
    if (kept !== null) await deleteSubvolumes(top, await pathsIn(kept, store, ctx), ctx);
  } else if (kept !== null) throw elsewhere(begun.path, kept.path);
  if (store.namesIn(entry).includes(NEW)) await removeNamed(entry, NEW, store, ctx);
  return store.write({ ...rest, origin: store.entries.read(entry.id)?.origin ?? rest.origin });
}

function elsewhere(original: string, kept: string): PluginError {
  const message = `A revert of ${original} was interrupted, and another subvolume is there now.`;
  return new PluginError(
    "CHANGED",
    message,
    `What was there before the revert is in ${kept}, from the top of the file system.`,
  );
}
