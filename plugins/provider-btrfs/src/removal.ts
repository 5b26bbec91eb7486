import type { Context } from "holdstill/plugin";
import { type Mount, readMounts, unmount } from "#kit/mounts.js";
import { isWithin } from "#kit/paths.js";
import { assertUnpinned } from "#kit/pinned.js";
import { type Entry, SCRATCH } from "./entry.js";
import { removeNamed, treeOf } from "./ownership.js";
import type { Store } from "./store.js";
import { deleteSubvolumes } from "./subvolume.js";
import { settleSwap } from "./swap.js";

type Exec = Pick<Context, "exec">;

/** Whether a mount shows a part of the snapshot. */
const isExposure =
  (entry: Entry, store: Store): ((mount: Mount) => boolean) =>
  ({ number, root }) =>
    number === store.top.fs.number && isWithin(root, store.pathOf(entry));

/** Where the snapshot is mounted, in the order in which it was. */
export const exposuresOf = (entry: Entry, store: Store): Mount[] => readMounts().filter(isExposure(entry, store));

/** Unmounts the snapshot, and removes what was made for the view. Idempotent. @throws PluginError BUSY */
export async function conceal(entry: Entry, store: Store, ctx: Exec): Promise<void> {
  for (const { point } of exposuresOf(entry, store).toReversed()) await unmount(point, ctx);
  assertUnpinned(entry.id, [store.top.fs.number], isExposure(entry, store));
  if (store.namesIn(entry).includes(SCRATCH)) await removeNamed(entry, SCRATCH, store, ctx);
}

/** Removes a snapshot and its entry. @throws PluginError BUSY, CHANGED */
export async function removeEntry(entry: Entry, store: Store, ctx: Exec): Promise<void> {
  await conceal(entry, store, ctx);
  await settleSwap(entry, store, ctx);
  const doomed: string[] = [];
  for (const name of store.namesIn(entry)) doomed.push(...(await treeOf(entry, name, store, ctx)));
  await deleteSubvolumes(store.top, doomed, ctx);
  store.end(entry);
}
