import { existsSync, lstatSync, realpathSync, rmdirSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import { closeFolder } from "./folder.js";
import { unmountAll } from "./mounts.js";
import { BESIDE } from "./place.js";
import { isRoot } from "./probe.js";
import { PluginError } from "./errors.js";
import { folderOf, type Entry, type Located, type Registry } from "./registry.js";

/** The names of this plugin's folders: see Entry.id. Never `..`, never a path. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]*\.[0-9]+$/;

/** Removes a snapshot's folder and then its entry. What is gone already is a success. */
export async function removeEntry(entry: Entry, registry: Registry, ctx: Context): Promise<void> {
  const folder = folderOf(entry);
  await unmountAll(folder, ctx);
  const isThere = existsSync(entry.store);
  if (!isThere && entry.state !== "planned") throw storeMissing(entry, registry);
  if (isThere && lstatSync(folder, { throwIfNoEntry: false }) !== undefined) {
    assertOurs(entry, folder);
    await removeFolder(folder, ctx);
  }
  if (isThere) removeIfEmpty(entry.store);
  registry.remove(entry.id);
}

/** An entry that cannot be read does not have the place of its folder: it is removed if a store has a folder of its name. */
export async function removeUnreadable(id: string, stores: string[], registry: Registry, ctx: Context): Promise<void> {
  const found = stores.filter((store) => lstatSync(folderOf({ id, store }), { throwIfNoEntry: false }) !== undefined);
  if (found.length === 0) throw registry.unreadable(id);
  for (const store of new Set(found)) {
    assertOurs({ id, store }, folderOf({ id, store }));
    await unmountAll(folderOf({ id, store }), ctx);
    await removeFolder(folderOf({ id, store }), ctx);
    removeIfEmpty(store);
  }
  registry.remove(id);
}

/** Before anything is removed recursively: it is a real folder, with a name of this plugin's, directly inside its store. */
function assertOurs(entry: Located, folder: string): void {
  const isReal = lstatSync(folder).isDirectory() && realpathSync(folder) === folder;
  if (ID.test(entry.id) && isReal && path.dirname(folder) === entry.store) return;
  throw new PluginError(
    "STORE",
    `${folder} is not a snapshot's folder, so it is not removed.`,
    "Check what it is, and remove it manually.",
  );
}

/**
 * rm follows no links below its argument. Without root, a read-only directory must be made writable first; as root that would
 * gain nothing, and links of a user who entered while the snapshot was exposed could mislead chmod -R.
 */
async function removeFolder(folder: string, ctx: Context): Promise<void> {
  const remove = ["-rf", "--one-file-system", "--", folder];
  closeFolder(folder);
  if (!isRoot()) {
    if ((await ctx.exec("rm", remove)).exitCode === 0) return;
    await ctx.exec("chmod", ["-R", "u+rwX", "--", folder]);
  }
  const { exitCode, stderr } = await ctx.exec("rm", remove);
  if (exitCode === 0) return;
  throw new PluginError(
    "STORE",
    `${folder} could not be removed: ${stderr.trim()}`,
    "Remove what is in the way, and try again.",
  );
}

/** The folder beside the captured tree is removed with its last snapshot. A configured store stays. */
function removeIfEmpty(store: string): void {
  if (path.basename(store) !== BESIDE) return;
  try {
    rmdirSync(store);
  } catch (error) {
    if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "ENOENT") throw error;
  }
}

/** Not a success: after a reboot the file system may not be mounted yet, and the data would be forgotten. */
function storeMissing(entry: Entry, registry: Registry): PluginError {
  return new PluginError(
    "STORE",
    `The store ${entry.store} of snapshot ${entry.id} does not exist.`,
    `Mount its file system. If it was removed on purpose, remove ${registry.fileOf(entry.id)} too.`,
  );
}
