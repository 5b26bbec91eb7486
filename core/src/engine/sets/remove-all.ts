import { toFault } from "../../base/errors/error.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import type { Removal } from "../api.js";
import { forgetSet, removeSet } from "./remove-set.js";
import type { EngineContext } from "../types.js";

/** What becomes of the record of a set if a snapshot cannot be removed, for instance because its disks are not there. */
export type RecordOfUnremoved = "keep" | "forget";

/** A set that cannot be removed does not stop the others. */
export async function removeSets(
  context: EngineContext,
  workers: PluginWorkers,
  ids: readonly string[],
  record: RecordOfUnremoved = "keep",
): Promise<Removal> {
  const { catalog, journals } = context.store;
  const deleted: string[] = [];
  const unseen: NonNullable<Removal["unseen"]> = [];
  const failed: Removal["failed"] = [];
  const forgotten: Removal["failed"] = [];
  for (const id of ids) {
    try {
      // Its record as it is under the lock: another process may have changed or deleted it meanwhile.
      const left = await journals.withLock(id, async () => {
        if (record === "forget") return forgetSet(context, workers, catalog.find(id));
        const { snapshots } = await removeSet(context, workers, catalog.find(id));
        if (snapshots.length > 0) unseen.push({ set: id, snapshots: snapshots.map(({ snapshot }) => snapshot.id) });
        return null;
      });
      if (left === null) deleted.push(id);
      else forgotten.push({ set: id, error: left });
    } catch (error) {
      failed.push({ set: id, error: toFault(error) });
    }
  }
  return {
    deleted,
    failed,
    ...(unseen.length > 0 ? { unseen } : {}),
    ...(record === "forget" ? { forgotten } : {}),
  };
}
