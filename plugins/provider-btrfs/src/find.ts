import type { Context, Snapshot } from "holdstill/plugin";
import { contentsOf, type Piece } from "./contents.js";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";
import { type FileSystem, mountedFileSystems } from "./file-system.js";
import { notMounted, unseenFileSystems } from "./known-file-systems.js";
import { Store } from "./store.js";
import { subvolumesBelow } from "./subvolume.js";
import { settleSwap } from "./swap.js";
import { type Top, withTop } from "./top.js";

/** A snapshot in its store. */
export interface Found {
  readonly entry: Entry;
  readonly store: Store;
}

/**
 * Opens the file system that has the snapshot, for as long as `work` takes. `null`: the snapshot does not exist.
 *
 * @throws PluginError UNREACHABLE: what is not mounted may still exist; MOVED
 */
export async function withSnapshot<T>(
  snapshot: Snapshot,
  ctx: Pick<Context, "dataDir" | "exec">,
  work: (found: Found | null) => Promise<T>,
): Promise<T> {
  const mounted = await mountedFileSystems(ctx);
  const home = homeOf(snapshot, mounted);
  for (const fs of home === null ? mounted : [home]) {
    const result = await withTop(fs, ctx, async (top) => {
      const store = Store.find(top);
      const entry = store?.entries.read(snapshot.id);
      if (store !== null && entry !== undefined) return { value: await work({ entry, store }) };
      await assertNotMoved(snapshot, top, ctx);
      return null;
    });
    if (result !== null) return result.value;
  }
  const [unseen] = home === null ? unseenFileSystems(mounted, ctx) : [];
  if (unseen === undefined) return await work(null);
  const message = `It is unknown whether ${snapshot.id} still exists. ${unseen}`;
  throw new PluginError("UNREACHABLE", message, "Mount it, and try again.");
}

/** A snapshot that can be shown. @throws PluginError UNKNOWN_SNAPSHOT, UNREACHABLE, MOVED */
export async function withWhole<T>(
  snapshot: Snapshot,
  ctx: Pick<Context, "dataDir" | "exec">,
  work: (found: Found & { readonly pieces: readonly [Piece, ...Piece[]] }) => Promise<T>,
): Promise<T> {
  return await withSnapshot(snapshot, ctx, async (found) => {
    if (found === null || found.entry.state === "planned") {
      const message = `The snapshot ${snapshot.id} does not exist, or is not complete.`;
      throw new PluginError("UNKNOWN_SNAPSHOT", message, "Delete its set.");
    }
    const { store } = found;
    const entry = await settleSwap(found.entry, store, ctx);
    return await work({ entry, store, pieces: await contentsOf(entry, store, ctx) });
  });
}

/** The file system that has it, by the record of the host; null: each may. @throws PluginError UNREACHABLE */
function homeOf({ id, setId, facts }: Snapshot, mounted: readonly FileSystem[]): FileSystem | null {
  const uuid = facts?.["filesystem"];
  if (typeof uuid !== "string") return null;
  const home = mounted.find((fs) => fs.uuid === uuid);
  if (home === undefined) throw notMounted(id, uuid, setId);
  return home;
}

/** A subvolume that was moved out of the store still exists, but does not belong to this plugin any more. */
async function assertNotMoved({ id, facts }: Snapshot, top: Top, ctx: Pick<Context, "exec">): Promise<void> {
  const uuids = uuidsIn(facts);
  if (uuids.size === 0) return;
  const moved = (await subvolumesBelow(top, "/", ctx)).find(({ uuid }) => uuids.has(uuid));
  if (moved === undefined) return;
  const message = `The snapshot ${id} was moved to ${moved.path}, from the top of ${top.fs.source}, without its entry.`;
  throw new PluginError("MOVED", message, "Remove it there if it is not needed: btrfs subvolume delete.");
}

function uuidsIn(facts: Snapshot["facts"]): ReadonlySet<string> {
  const subvolumes = facts?.["subvolumes"];
  if (!Array.isArray(subvolumes)) return new Set();
  const uuids = subvolumes.map((one: { uuid?: unknown }) => one.uuid);
  return new Set(uuids.filter((uuid) => typeof uuid === "string"));
}
