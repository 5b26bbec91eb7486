import path from "node:path";
import type { Context, FileSystemVolume } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { PluginError } from "./errors.js";
import { pathIn } from "./mounts-below.js";
import type { Options, Place } from "./place.js";
import type { Registry } from "./registry.js";
import { select } from "./selection.js";
import { registryOf } from "./stored-entry.js";

/**
 * Names that no argument can carry are refused before anything is made. Commit selects again what exists then.
 *
 * @returns What is left out: snapshots are never captured, wherever they are, and by whatever path they are seen.
 * @throws PluginError UNREADABLE
 */
export function selectable(
  volume: FileSystemVolume,
  { store }: Pick<Place, "store">,
  registry: Registry,
  { dataDir }: Pick<Context, "dataDir">,
): string[] {
  const stores = [store, path.join(dataDir, "snapshots"), ...registry.all().map((entry) => entry.store)];
  const inside = stores
    .flatMap((one) => [one, pathIn(volume, one) ?? one])
    .filter((one) => volume.paths.some((captured) => isWithin(one, captured)));
  const exclude = [...new Set([...volume.exclude, ...inside])];
  select(volume.paths, exclude);
  return exclude;
}

/** For the plan. What cannot be read at all is named by `prepare`, together with all else of its kind. @throws PluginError UNREADABLE */
export function refuseNames(volume: FileSystemVolume, place: Pick<Place, "store">, ctx: Context<Options>): void {
  try {
    selectable(volume, place, registryOf(ctx), ctx);
  } catch (error) {
    if (error instanceof PluginError) throw error;
  }
}
