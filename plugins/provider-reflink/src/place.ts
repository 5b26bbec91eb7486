import { accessSync, constants, existsSync, lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Context, FileSystemVolume } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { PluginError } from "#kit/plugin-error.js";
import { walkTo } from "#kit/walk.js";
import { openStore, trust } from "./folder.js";
import { canClone } from "./probe.js";

export interface Options extends Record<string, unknown> {
  store?: string;
}

/** Where a volume's snapshots go, and how they get there. */
export interface Place {
  /** Folder that holds one folder for each snapshot; without symbolic links. */
  store: string;
  method: "reflink" | "copy";
  /** Why it is not a reflink; for people. */
  reason?: string;
}

/** Name of a store beside what was captured. */
export const BESIDE = ".holdstill";

/**
 * Chooses the store: the one that the config names; else our data folder if it can share extents with the volume; else a
 * folder `.holdstill` above the captured tree on the same mount; else the data folder, and a copy. No side effects.
 *
 * @throws PluginError PATH_UNSAFE, PATH_FAILED for a store of the config
 */
export async function choosePlace(volume: FileSystemVolume, ctx: Context<Options>): Promise<Place> {
  const first = volume.paths[0] ?? volume.mountPoint;
  const source = lstatSync(first).isDirectory() ? first : path.dirname(first);
  const isClonable = (store: string): Promise<boolean> => canClone(source, nearestExisting(store), ctx);
  if (ctx.options.store !== undefined) {
    const store = resolve(ctx.options.store);
    // That no other user can replace it is seen before anything is promised.
    walkTo(nearestExisting(store), trust())[Symbol.dispose]();
    if (await isClonable(store)) return { store, method: "reflink" };
    return { store, method: "copy", reason: "the configured store cannot share extents with it" };
  }
  const own = resolve(path.join(ctx.dataDir, "snapshots"));
  if (await isClonable(own)) return { store: own, method: "reflink" };
  const beside = storeAbove(first, volume.mountPoint);
  if (beside === undefined) {
    const reason = `no folder above ${first} on its file system is writable for us alone`;
    return { store: own, method: "copy", reason };
  }
  if (await isClonable(beside)) return { store: beside, method: "reflink" };
  return {
    store: own,
    method: "copy",
    reason: `files there cannot share extents (${volume.fsType} on ${volume.mountPoint})`,
  };
}

/**
 * The nearest folder above the tree where a store is safe. If the tree is a whole mount, nothing is above it on its file
 * system: then the store is within the tree, and is left out of the snapshot.
 */
function storeAbove(tree: string, mountPoint: string): string | undefined {
  const folders = ancestorsOf(tree).filter((dir) => isWithin(dir, mountPoint) && (dir !== tree || dir === mountPoint));
  return folders.map((dir) => path.join(dir, BESIDE)).find(isSafe);
}

/** This user may write there, and no other user could put another folder in the store's place while root copies into it. */
function isSafe(store: string): boolean {
  try {
    using above = openStore(path.dirname(store));
    const found = above.find(path.basename(store));
    if (found !== null && (found.type !== "folder" || found.uid !== process.getuid?.())) return false;
    return isWritable(found === null ? above.path : store);
  } catch (error) {
    if (error instanceof PluginError) return false;
    throw error;
  }
}

function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path itself first, the root last. */
function ancestorsOf(target: string): string[] {
  const parent = path.dirname(target);
  return parent === target ? [target] : [target, ...ancestorsOf(parent)];
}

export function nearestExisting(dir: string): string {
  return existsSync(dir) ? dir : nearestExisting(path.dirname(dir));
}

/** Without symbolic links, as far as it exists. */
export function resolve(dir: string): string {
  const there = nearestExisting(dir);
  return path.join(realpathSync(there), path.relative(there, dir));
}
