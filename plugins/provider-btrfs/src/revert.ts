import path from "node:path";
import type { Context, Snapshot, Transaction } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import type { Mount } from "#kit/mounts.js";
import { assertUnpinned } from "#kit/pinned.js";
import { formatBytes } from "#kit/size.js";
import { btrfs } from "./btrfs.js";
import { proven } from "./cut.js";
import type { Piece } from "./contents.js";
import { type Entry, type Part, partName } from "./entry.js";
import { PluginError } from "./errors.js";
import type { FileSystem } from "./file-system.js";
import { type Found, withWhole } from "./find.js";
import { isInFstab } from "./fstab.js";
import { userOf, visibleAt } from "./in-use.js";
import type { Options } from "./options.js";
import { conceal, removeEntry } from "./removal.js";
import { toSnapshot } from "./snapshot.js";
import { spaceOf } from "./space.js";
import { snapshot as makeSnapshot, type Subvolume, subvolumeAt, subvolumesBelow } from "./subvolume.js";
import { swap } from "./swap.js";
import type { Top } from "./top.js";

type Exec = Pick<Context, "exec">;
type Complete = Found & { readonly pieces: readonly [Piece, ...Piece[]] };

/** What a revert replaces: the subvolume, and those in it. */
interface Original {
  readonly root: Subvolume;
  readonly below: readonly Subvolume[];
}

/** Puts a writable snapshot of the contents in the place of the subvolume. The snapshot itself stays. */
export async function revert(snapshot: Snapshot, ctx: Context<Options>): Promise<void> {
  await withWhole(snapshot, ctx, async (found) => {
    const { entry, store, pieces } = found;
    const { root } = await originalOf(found, ctx);
    await conceal(entry, store, ctx);
    await swap(entry, pieces, root, store, ctx);
  });
}

/** Takes a snapshot of the subvolume as it is now. */
export async function preserve(snapshot: Snapshot, tx: Transaction, ctx: Context<Options>): Promise<Snapshot> {
  return await withWhole(snapshot, ctx, async (found) => {
    const { entry, store } = found;
    const { root, below } = await originalOf(found, ctx);
    const all = [root, ...below];
    assertSpace(found, all.length);
    const { of: _, whole: __, ...shared } = entry;
    const parts = all.map((one): Part => ({ inner: path.relative(root.path, one.path), from: one.uuid }));
    const begun = { ...shared, id: store.nextId(tx.id), setId: tx.id, origin: root.uuid, parts, notCaptured: [] };
    const planned = store.begin({ ...begun, state: "planned", createdAt: new Date().toISOString() });
    try {
      const made: Part[] = [];
      for (const [index, { path: from }] of all.entries()) {
        const to = store.pathOf(planned, partName(index));
        await makeSnapshot(store.top, { from, to, access: "read-only" }, ctx);
      }
      for (const [index, part] of parts.entries()) made.push(await proven(planned, part, index, store, ctx));
      return toSnapshot(store.write({ ...planned, state: "sealed", parts: made }), store.top.fs);
    } catch (error) {
      if (!ctx.signal.aborted) await removeEntry(planned, store, ctx).catch(() => null);
      throw error;
    }
  });
}

/** @throws PluginError NO_SAFETY */
function assertSpace({ store: { top } }: Found, subvolumes: number): void {
  const { neededBytes = 0, freeBytes = 0 } = spaceOf(top.fs, top.path, subvolumes);
  if (neededBytes <= freeBytes) return;
  const message = `${top.fs.source} has ${formatBytes(freeBytes)} free; the snapshots need ${formatBytes(neededBytes)}.`;
  throw new PluginError("NO_SAFETY", message, "Free some space: btrfs filesystem usage");
}

/**
 * The subvolume that the revert replaces, where a swap has the effect that is meant.
 *
 * @throws PluginError UNSUPPORTED, BUSY
 */
async function originalOf({ entry, store, pieces }: Complete, ctx: Exec): Promise<Original> {
  const { top } = store;
  const refuse = (reason: string, hint = "Copy the files back: holdstill restore."): never => {
    throw new PluginError(
      "UNSUPPORTED",
      `${entry.volume.root} on ${top.fs.source} cannot be reverted: ${reason}.`,
      hint,
    );
  };
  if (entry.of !== undefined) return refuse("this is a fork, which has no original");
  if (top.fs.access === "read-only") return refuse("the file system is mounted read-only");
  const found = await originOf(entry, top, ctx);
  if (found === undefined) return refuse("the captured subvolume no longer exists");
  if (found.path === "/") return refuse("the top of a file system cannot be replaced");
  const root = found;
  assertUnused(root, top.fs, entry);
  if ((await defaultOf(top, ctx)) === root.id)
    return refuse("it is the default subvolume, which is mounted by its number");
  if (isInFstab(root.id, top.fs))
    return refuse(`/etc/fstab mounts it by its number, ${root.id}`, "Name it there by its path: subvol=PATH.");
  const below = await subvolumesBelow(top, root.path, ctx);
  const inSnapshot = new Set(pieces.map(({ inner }) => inner));
  const other = below.find((one) => !inSnapshot.has(path.relative(root.path, one.path)));
  if (other === undefined) return { root, below };
  const hint = "Move that subvolume elsewhere first, or copy the files back: holdstill restore.";
  return refuse(`the subvolume ${other.path} in it is not in the snapshot, and would be lost`, hint);
}

async function originOf({ origin }: Entry, top: Top, ctx: Exec): Promise<Subvolume | undefined> {
  const top5 = await subvolumeAt(top, "/", ctx);
  return [top5, ...(await subvolumesBelow(top, "/", ctx))].find((one) => one?.uuid === origin) ?? undefined;
}

/** @throws PluginError BUSY, UNSUPPORTED */
function assertUnused(root: Subvolume, fs: FileSystem, { id }: Entry): void {
  const isOfIt = (mount: Mount): boolean => mount.number === fs.number && isWithin(mount.root, root.path);
  const [mount] = fs.mounts.filter(isOfIt).toReversed();
  if (mount !== undefined) {
    const message = `${root.path} is mounted at ${mount.point}, which would go on showing what was replaced.`;
    if (mount.point === "/")
      throw new PluginError("UNSUPPORTED", message, "Revert the root from another system, or restore its files.");
    throw new PluginError("BUSY", message, hintToUnmount(mount, fs, isOfIt));
  }
  assertUnpinned(id, [fs.number], isOfIt);
  const user = userOf(visibleAt(fs, root.path));
  if (user === null) return;
  throw new PluginError("BUSY", `${root.path} is in use by ${user}.`, "End it, and try again.");
}

/** With its last mount, the file system would be away. */
function hintToUnmount({ point }: Mount, fs: FileSystem, isOfIt: (mount: Mount) => boolean): string {
  const unmount = `umount ${point}`;
  if (!fs.mounts.every(isOfIt)) return `Unmount it: ${unmount}`;
  return `Mount the top of the file system elsewhere, and unmount this one: mount -o subvolid=5 ${fs.source} /mnt && ${unmount}`;
}

/** Id of the subvolume that is mounted if no other is named. */
async function defaultOf(top: Top, ctx: Exec): Promise<number> {
  const text = await btrfs(ctx, ["subvolume", "get-default", top.path]);
  return Number(/^ID (\d+)/.exec(text)?.[1]);
}
