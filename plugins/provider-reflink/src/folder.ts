import { getgid } from "node:process";
import type { Context } from "holdstill/plugin";
import type { FolderHandle } from "#kit/folder-handle.js";
import { isAbsence } from "#kit/path-refusal.js";
import type { PathTrust } from "#kit/path-trust.js";
import { messageOf } from "#kit/plugin-error.js";
import { walk } from "#kit/walk.js";
import { PluginError } from "./errors.js";
import { isRoot } from "./probe.js";
import { FILES, folderOf, type Located, SOURCE } from "./registry.js";

/** No other user may enter: what they may change by its mode must not be reached by the store's own path. */
const CLOSED = 0o700;
/** Other users may pass through to the trees, which have their original modes, but may not list the folder. */
export const PASSABLE = 0o711;

/** Opens a store by a path on which no other user can put another folder in its place. @throws PluginError PATH_UNSAFE, PATH_FAILED */
export function openStore(store: string, missing: "refused" | number = "refused"): FolderHandle {
  return walk(store, { ...trust(), missing });
}

/** On many systems a user's folders are writable for the user's own group. */
export const trust = (): PathTrust => (isRoot() ? {} : { group: getgid?.() ?? -1 });

/** A snapshot's folder. null: it is not there. @throws PluginError PATH_UNSAFE, PATH_FAILED */
export function openFolder({ store, id }: Located): FolderHandle | null {
  try {
    using within = openStore(store);
    return within.open(id);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

/** Nothing may be there yet. No other user can enter: a user who could might put links where files are copied to. */
export function makeFolder(entry: Located): void {
  try {
    using store = openStore(entry.store, CLOSED);
    using folder = store.mkdir(entry.id, CLOSED);
    for (const name of [FILES, SOURCE]) folder.mkdir(name, CLOSED)[Symbol.dispose]();
  } catch (error) {
    throw new PluginError(
      "STORE",
      `The store cannot be used: ${messageOf(error)}`,
      "Give another folder with the option `store`.",
      { cause: error },
    );
  }
}

/** Returns when all in the folder is on disk. syncfs(2): one call for all files, where an fsync for each would take minutes. */
export async function flush(entry: Located, ctx: Context): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("sync", ["-f", "--", folderOf(entry)]);
  if (exitCode !== 0)
    throw new PluginError("STORE", `sync failed: ${stderr.trim()}`, "The kernel's log has the reason: `dmesg | tail`.");
}

/** Does nothing if the folder is gone. */
export function closeFolder(entry: Located): void {
  using folder = openFolder(entry);
  folder?.chmod(CLOSED);
}

/** For a user who cannot mount: the trees are read in the store itself. */
export function openForOthers(entry: Located): void {
  using folder = openFolder(entry);
  folder?.chmod(PASSABLE);
}
