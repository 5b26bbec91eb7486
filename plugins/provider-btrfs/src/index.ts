import type { Context, FileSystemVolume, Provider, Transaction } from "holdstill/plugin";
import { Owed } from "#kit/owed.js";
import { formatBytes } from "#kit/size.js";
import { commitOf, flush, nestedIn, planEntry, sealEntry, visiblePath } from "./cut.js";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";
import { expose, unexpose } from "./exposure.js";
import { type FileSystem, fileSystemOf, mountedFileSystems } from "./file-system.js";
import { withSnapshot } from "./find.js";
import { fork } from "./fork.js";
import { forget, know, notMounted, unseenFileSystems } from "./known-file-systems.js";
import type { Options } from "./options.js";
import { removeEntry } from "./removal.js";
import { preserve, revert } from "./revert.js";
import { describeAll, toSnapshot } from "./snapshot.js";
import { spaceOf } from "./space.js";
import { Store, STORE } from "./store.js";
import { listSubvolumes } from "./subvolume.js";
import { swapFileIn } from "./swap-files.js";
import { detachTops, sweepTops, Top, withTop } from "./top.js";

/** One volume of the transaction. */
interface Part {
  readonly entry: Entry;
  readonly store: Store;
}

/** From prepare to seal, by the transaction's id, with the tops that the keeper's paths lead through. abort uses the entries. */
const underway = new Map<string, { readonly tops: Map<string, Top>; readonly parts: Part[] }>();

const provider: Provider<Options> = {
  async match(volume, ctx) {
    // Only root can make the list of subvolumes.
    if (volume.fsType !== "btrfs" || process.geteuid?.() !== 0) return null;
    const { fs, mount } = await fileSystemOf(volume, ctx);
    assertWritable(volume, fs);
    const { captured } = nestedIn(volume, mount, await listSubvolumes(volume.mountPoint, ctx), ctx.options);
    assertNoSwap(volume, [...volume.paths, ...captured.map((inner) => visiblePath(inner, volume, mount))]);
    const count = 1 + captured.length;
    return {
      pointInTime: count === 1,
      consistency: "filesystem",
      writable: true,
      revert: true,
      method: count === 1 ? "snapshot" : `snapshots of ${count} subvolumes, one after the other`,
      where: `${STORE} at the top of ${fs.source}`,
      space: spaceOf(fs, volume.mountPoint, count),
    };
  },

  async prepare(tx, volumes, ctx) {
    const tops = new Map<string, Top>();
    const parts: Part[] = [];
    underway.set(tx.id, { tops, parts });
    const places = [];
    for (const volume of volumes) places.push({ volume, ...(await fileSystemOf(volume, ctx)) });
    owedBy(tx, ctx).write([...new Set(places.map(({ fs }) => fs.uuid))]);
    for (const { volume, fs, mount } of places) {
      assertWritable(volume, fs);
      const top = tops.get(fs.uuid) ?? (await Top.open(fs, ctx, tx));
      tops.set(fs.uuid, top);
      const entry = await planEntry(tx, volume, mount, top, ctx);
      parts.push({ entry, store: Store.make(top) });
      const captured = entry.parts.map(({ inner }) => top.at(volume.root, inner));
      assertNoSwap(volume, captured);
    }
    for (const [uuid, top] of tops) assertSpace(uuid, top, parts);
    for (const top of tops.values()) await flush(top, ctx);
    return {
      hold: [],
      commit: [{ op: "parallel", chains: parts.flatMap(({ entry, store }) => commitOf(entry, store)) }],
    };
  },

  async seal(tx, ctx) {
    const snapshots = [];
    for (const { entry, store } of underway.get(tx.id)?.parts ?? []) {
      snapshots.push(toSnapshot(await sealEntry(entry, store, ctx), store.top.fs));
      know(store.top.fs, ctx);
    }
    owedBy(tx, ctx).settle();
    await leave(tx, ctx);
    return snapshots;
  },

  async abort(tx, ctx) {
    await leave(tx, ctx);
    await sweepTops(ctx);
    const owed = owedBy(tx, ctx);
    const mounted = await mountedFileSystems(ctx);
    const errors: unknown[] = [];
    for (const fs of mounted) errors.push(...(await removeSet(tx, fs, ctx)));
    const away = (owed.read() ?? []).filter((uuid) => !mounted.some((fs) => fs.uuid === uuid));
    errors.push(...away.map((uuid) => notMounted(`what ${tx.id} made there`, uuid, tx.id)));
    if (errors.length > 0) throw errors[0];
    owed.settle();
  },

  async list(ctx) {
    await sweepTops(ctx);
    const mounted = await mountedFileSystems(ctx);
    const snapshots = [];
    const unseen = unseenFileSystems(mounted, ctx);
    for (const fs of mounted) {
      try {
        snapshots.push(...(await inStore(fs, ctx, (store) => describeAll(store, ctx), [])));
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        unseen.push(`${error.message} ${error.hint}`);
      }
    }
    return unseen.length === 0 ? snapshots : { snapshots, unseen };
  },

  expose,
  unexpose,
  fork,
  preserve,
  revert,

  async remove(snapshot, ctx) {
    await withSnapshot(snapshot, ctx, async (found) => {
      if (found === null) return;
      await removeEntry(found.entry, found.store, ctx);
      forgetIfEmpty(found.store, ctx);
    });
  },
};
export default provider;

/** Ends the use of the tops, also of those that a killed worker has left. */
async function leave(tx: Transaction, ctx: Context<Options>): Promise<void> {
  for (const top of underway.get(tx.id)?.tops.values() ?? []) top.release();
  underway.delete(tx.id);
  await detachTops(tx, ctx);
}

/** UUIDs of the file systems that the transaction makes something on, written before the first one. */
const owedBy = ({ id }: Transaction, { dataDir }: Pick<Context, "dataDir">): Owed<readonly string[]> =>
  new Owed(dataDir, id);

/** @throws PluginError UNSUPPORTED */
function assertWritable(volume: FileSystemVolume, { access }: FileSystem): void {
  if (access === "read-write") return;
  throw unsupported(volume, "the file system is mounted read-only", "Mount it read-write, or copy it.");
}

/** @throws PluginError UNSUPPORTED */
function assertNoSwap(volume: FileSystemVolume, subvolumes: readonly string[]): void {
  const file = swapFileIn(subvolumes);
  if (file === null) return;
  const hint = `Move it to a subvolume that is not captured, or: swapoff ${file}`;
  throw unsupported(volume, `the kernel makes none of a subvolume with the active swap file ${file}`, hint);
}

const unsupported = ({ mountPoint }: FileSystemVolume, reason: string, hint: string): PluginError =>
  new PluginError("UNSUPPORTED", `${mountPoint} takes no snapshots: ${reason}.`, hint);

/** @throws PluginError NO_SPACE */
function assertSpace(uuid: string, top: Top, parts: readonly Part[]): void {
  const own = parts.filter(({ store }) => store.top.fs.uuid === uuid);
  const count = own.reduce((sum, { entry }) => sum + entry.parts.length, 0);
  const { neededBytes = 0, freeBytes = 0 } = spaceOf(top.fs, top.path, count);
  if (neededBytes <= freeBytes) return;
  const message = `${top.fs.source} has ${formatBytes(freeBytes)} free; the snapshots need ${formatBytes(neededBytes)}.`;
  throw new PluginError("NO_SPACE", message, "See what is free for metadata: btrfs filesystem usage");
}

/** Opens the store of a file system; `without` if it has none. */
async function inStore<T>(
  fs: FileSystem,
  ctx: Context<Options>,
  work: (store: Store) => Promise<T>,
  without: T,
): Promise<T> {
  return await withTop(fs, ctx, async (top) => {
    const store = Store.find(top);
    return store === null ? without : await work(store);
  });
}

/** Removes what a transaction made on a file system. One entry that cannot be removed does not stop the others. Returns the errors. */
async function removeSet(tx: Transaction, fs: FileSystem, ctx: Context<Options>): Promise<unknown[]> {
  const errors: unknown[] = [];
  const remove = async (store: Store): Promise<void> => {
    for (const entry of store.ofSet(tx.id)) {
      await removeEntry(entry, store, ctx).catch((error: unknown) => errors.push(error));
    }
    forgetIfEmpty(store, ctx);
  };
  await inStore(fs, ctx, remove, undefined).catch((error: unknown) => errors.push(error));
  return errors;
}

function forgetIfEmpty(store: Store, ctx: Context<Options>): void {
  if (store.entries.ids().length === 0) forget(store.top.fs, ctx);
}
