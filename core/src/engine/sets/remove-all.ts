import { audit } from "../../store/audit.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { withSetLock } from "./set-lock.js";
import { removeSet } from "./sets.js";
import type { EngineContext } from "../types.js";

/** One that cannot be removed does not stop the others. */
export async function removeSets(
  bench: EngineContext,
  workers: PluginWorkers,
  ids: readonly string[],
): Promise<{ deleted: string[]; failed: { set: string; error: Fault }[] }> {
  const deleted: string[] = [];
  const failed: { set: string; error: Fault }[] = [];
  for (const id of ids) {
    try {
      // Its record as it is under the lock: another process may have changed or deleted it meanwhile.
      await withSetLock(bench, id, () => removeSet(bench, workers, bench.catalog.find(id)));
      deleted.push(id);
    } catch (error) {
      failed.push({ set: id, error: toFault(error) });
    }
  }
  return { deleted, failed };
}

export function retainSet(bench: EngineContext, id: string, until: Date): Promise<SnapshotSet> {
  return withSetLock(bench, id, async () => {
    await bench.writeGate.pass();
    const set = { ...bench.catalog.find(id), retainUntil: until.toISOString() };
    if (set.lease !== undefined) {
      const problem = `Set ${id} lives as long as its requester, pid ${set.lease.pid}.`;
      throw new HoldstillError("E_USAGE", { problem, hint: "Take one that stays, with `holdstill create`." });
    }
    audit(bench, "retain", set, set.retainUntil);
    bench.catalog.write(set);
    return set;
  });
}
