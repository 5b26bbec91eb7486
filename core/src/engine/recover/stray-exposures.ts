import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { toFault } from "../../base/errors/error.js";
import type { Residue, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { hasStrayMount } from "../sets/mount-at.js";
import { unexposeSet } from "../sets/sets.js";
import type { EngineContext } from "../types.js";

/** Folders at which a snapshot may still be exposed, by a process that died before it could write that down or undo it. */
function strayFolders({ store }: EngineContext, set: SnapshotSet): string[] {
  const folder = store.exposures.of(set.id);
  if (!existsSync(folder)) return [];
  const known = (set.exposed ?? []).map((one) =>
    set.snapshots.findIndex(({ snapshot }) => snapshot.id === one.snapshot),
  );
  return readdirSync(folder)
    .filter((name) => !known.includes(Number(name)))
    .map((name) => path.join(folder, name));
}

/** Sets with such folders, or with a mount that their record does not name, on which no process works. */
export function strayExposures(context: EngineContext): SnapshotSet[] {
  const { catalog, exposures, journals } = context.store;
  return catalog
    .list()
    .sets.filter(({ id }) => existsSync(exposures.of(id)) && !journals.isHeld(id))
    .filter((set) => strayFolders(context, set).length > 0 || hasStrayMount(set));
}

export async function removeStrayExposure(
  context: EngineContext,
  workers: PluginWorkers,
  id: string,
): Promise<Residue[]> {
  try {
    const { catalog, exposures, journals } = context.store;
    await journals.withLock(id, async () => {
      const set = catalog.find(id);
      const folders = strayFolders(context, set);
      await unexposeSet(context, workers, set);
      for (const folder of folders) await exposures.remove(folder);
    });
    return [];
  } catch (error) {
    return [{ actor: id, op: "unexpose", error: toFault(error) }];
  }
}
