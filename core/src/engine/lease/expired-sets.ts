import { toFault } from "../../base/errors/error.js";
import type { Residue, SnapshotSet } from "../../base/schema/types.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { Operation } from "../operation.js";
import { tryRemoval } from "../sets/remove-set.js";
import type { EngineContext, Watcher } from "../types.js";

/** Sets that were to live as long as their requester, and outlived it. */
export function expiredSets({ store: { catalog, leases, journals } }: EngineContext): SnapshotSet[] {
  return catalog
    .list()
    .sets.filter(({ id, lease }) => lease !== undefined && !leases.isHeld(lease) && !journals.isHeld(id));
}

/** The same, without a look at every record if no lease has expired. */
function freshlyExpired(context: EngineContext): SnapshotSet[] {
  return context.store.leases.expired().length === 0 ? [] : expiredSets(context);
}

export async function removeExpired(
  context: EngineContext,
  workers: PluginWorkers,
  id: string,
  reason = "its requester is gone",
): Promise<Residue[]> {
  const { catalog, journals } = context.store;
  try {
    const errors = await journals.withLock(id, async () => {
      if (!catalog.has(id)) return [];
      const set = catalog.find(id);
      // Its lease may have been removed meanwhile, so that it stays.
      if (set.lease === undefined) return [];
      return (await tryRemoval(context, workers, set, "expire", reason)).errors;
    });
    return errors.map((error) => ({ actor: id, op: "remove", error: toFault(error) }));
  } catch (error) {
    return [{ actor: id, op: "remove", error: toFault(error) }];
  }
}

/**
 * Removes sets whose requesters are gone, and their leases. What fails is left to `recover`, and stops nothing; an interruption does,
 * and the set that was being removed stays in the catalog.
 *
 * @throws the reason of the interruption.
 */
export async function sweepExpired(
  context: EngineContext,
  plugins: Resolution["plugins"],
  watcher: Watcher,
): Promise<void> {
  await context.store.gate.pass();
  const expired = freshlyExpired(context);
  if (expired.length > 0) {
    const operation = await Operation.begin(context, plugins, watcher);
    try {
      for (const { id } of expired) {
        const left = await operation.interruptible(() => removeExpired(context, operation.workers, id));
        const reasons = left.map(({ error }) => error.message).join(" ");
        const result = reasons === "" ? "was removed" : `could not be removed: ${reasons}`;
        operation.emit({ type: "warning", message: `Set ${id}, whose requester is gone, ${result}` });
      }
    } finally {
      await operation.close();
    }
  }
  await forgetExpired(context);
}

/** Removes lease files without a holder, once no record names them any more. */
export async function forgetExpired({ store: { catalog, leases } }: EngineContext): Promise<void> {
  const expired = leases.expired();
  if (expired.length === 0) return;
  const named = new Set(catalog.list().sets.flatMap(({ lease }) => lease?.id ?? []));
  for (const id of expired) if (!named.has(id)) await leases.forget(id);
}
