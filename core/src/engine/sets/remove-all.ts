import { toFault } from "../../base/errors/error.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import type { Removal } from "../api.js";
import { forgetSet, tryRemoval } from "./remove-set.js";
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
      const errors = await journals.withLock(id, async () => {
        if (record === "forget") return forgetSet(context, workers, catalog.find(id));
        const removal = await tryRemoval(context, workers, catalog.find(id));
        const snapshots = removal.set.snapshots.map(({ snapshot }) => snapshot.id);
        const { listErrors } = removal;
        if (removal.errors.length === 0 && snapshots.length > 0)
          unseen.push({ set: id, snapshots, ...(listErrors.length === 0 ? {} : { errors: [...listErrors] }) });
        return removal.errors.map((error) => toFault(error));
      });
      if (errors.length === 0) deleted.push(id);
      const left = record === "forget" ? forgotten : failed;
      left.push(...errors.map((error) => ({ set: id, error })));
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
