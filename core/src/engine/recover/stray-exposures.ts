import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { toFault } from "../../base/errors/error.js";
import type { Residue, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { Journal } from "../../store/journal.js";
import { removeEmpty } from "../../transaction/repair.js";
import { hasStrayMount } from "../sets/mount-at.js";
import { withSetLock } from "../sets/set-lock.js";
import { unexposeSet } from "../sets/sets.js";
import type { EngineContext } from "../types.js";

/** Places where a snapshot may still be shown, by somebody who died before he could write it down or end it. */
function strayPlaces({ settings: { exposeDir } }: EngineContext, set: SnapshotSet): string[] {
  const folder = path.join(exposeDir, set.id);
  if (!existsSync(folder)) return [];
  const known = (set.exposed ?? []).map((one) =>
    set.snapshots.findIndex(({ snapshot }) => snapshot.id === one.snapshot),
  );
  return readdirSync(folder)
    .filter((name) => !known.includes(Number(name)))
    .map((name) => path.join(folder, name));
}

/** Sets that have such places, or a mirror that their record does not name, and that nobody works on. */
export function strayExposures(bench: EngineContext): SnapshotSet[] {
  const { exposeDir } = bench.settings;
  return bench.catalog
    .list()
    .sets.filter(({ id }) => existsSync(path.join(exposeDir, id)) && !Journal.isHeld(bench.state, id))
    .filter((set) => strayPlaces(bench, set).length > 0 || hasStrayMount(set));
}

export async function removeStrayExposure(
  bench: EngineContext,
  workers: PluginWorkers,
  id: string,
): Promise<Residue[]> {
  try {
    await withSetLock(bench, id, async () => {
      const set = bench.catalog.find(id);
      const places = strayPlaces(bench, set);
      await unexposeSet(bench, workers, set);
      for (const place of places) removeEmpty(place);
    });
    return [];
  } catch (error) {
    return [{ actor: id, op: "unexpose", error: toFault(error) }];
  }
}
