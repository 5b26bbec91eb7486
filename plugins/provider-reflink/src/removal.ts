import { existsSync, lstatSync, rmdirSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { codeOf, messageOf } from "#kit/plugin-error.js";
import { removeTree } from "#kit/remove-tree.js";
import { closeFolder, openStore } from "./folder.js";
import { unmountAll } from "./mounts.js";
import { BESIDE } from "./place.js";
import { PluginError } from "./errors.js";
import { assertReachable } from "./reachable.js";
import { folderOf, isId, type Entry, type Located, type Registry } from "./registry.js";

/** Removes a snapshot's folder and then its entry. What is gone already is a success. */
export async function removeEntry(entry: Entry, registry: Registry, ctx: Context): Promise<void> {
  await unmountAll(entry, ctx);
  if (entry.state !== "planned") assertReachable(entry, registry);
  if (existsSync(entry.store)) {
    await removeFolder(entry, ctx);
    removeIfEmpty(entry.store);
  }
  registry.remove(entry.id);
}

/** An entry that cannot be read does not have the place of its folder: it is removed if a store has a folder of its name. */
export async function removeUnreadable(id: string, stores: string[], registry: Registry, ctx: Context): Promise<void> {
  const found = stores.filter((store) => lstatSync(folderOf({ id, store }), { throwIfNoEntry: false }) !== undefined);
  if (found.length === 0) throw registry.unreadable(id);
  for (const store of new Set(found)) {
    await unmountAll({ id, store }, ctx);
    await removeFolder({ id, store }, ctx);
    removeIfEmpty(store);
  }
  registry.remove(id);
}

/**
 * By the descriptor of the store, so that no link leads elsewhere. What is removed is a real folder, with a name of this plugin's,
 * directly in the store; no other user can enter it from then on.
 */
async function removeFolder(entry: Located, { signal }: Context): Promise<void> {
  const folder = folderOf(entry);
  try {
    using store = openStore(entry.store);
    const expected = isId(entry.id) ? store.find(entry.id) : null;
    if (isId(entry.id) && expected === null) return;
    if (expected?.type !== "folder") throw notOurs(folder);
    closeFolder(entry);
    await removeTree(store, entry.id, { expected, signal });
  } catch (error) {
    if (codeOf(error) === "STORE" || signal.aborted) throw error;
    throw new PluginError(
      "STORE",
      `${folder} could not be removed: ${messageOf(error)}`,
      "Remove what is in the way, and try again.",
      { cause: error },
    );
  }
}

const notOurs = (folder: string): PluginError =>
  new PluginError(
    "STORE",
    `${folder} is not a snapshot's folder, so it is not removed.`,
    "Check what it is, and remove it manually.",
  );

/** The folder beside the captured tree is removed with its last snapshot. A configured store stays. */
function removeIfEmpty(store: string): void {
  if (path.basename(store) !== BESIDE) return;
  try {
    rmdirSync(store);
  } catch (error) {
    if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "ENOENT") throw error;
  }
}
