import { toFault } from "../../base/errors/error.js";
import type { Fault } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { removeSet } from "./sets.js";
import type { EngineContext } from "../types.js";

/** A set that cannot be removed does not stop the others. */
export async function removeSets(
  context: EngineContext,
  workers: PluginWorkers,
  ids: readonly string[],
): Promise<{ deleted: string[]; failed: { set: string; error: Fault }[] }> {
  const { catalog, journals } = context.store;
  const deleted: string[] = [];
  const failed: { set: string; error: Fault }[] = [];
  for (const id of ids) {
    try {
      // Its record as it is under the lock: another process may have changed or deleted it meanwhile.
      await journals.withLock(id, () => removeSet(context, workers, catalog.find(id)));
      deleted.push(id);
    } catch (error) {
      failed.push({ set: id, error: toFault(error) });
    }
  }
  return { deleted, failed };
}
