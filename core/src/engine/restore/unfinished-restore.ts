import { toFault } from "../../base/errors/error.js";
import type { Residue, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { removeDraft } from "../../store/restore-draft.js";
import { undoAll } from "../../transaction/undo-all.js";
import { unexposeSet } from "../sets/sets.js";
import type { EngineContext } from "../types.js";

/** Sets of which a process died while it restored them. */
export function unfinishedRestores({ store: { catalog, journals } }: EngineContext): SnapshotSet[] {
  return catalog.list().sets.filter(({ id, restoring }) => restoring !== undefined && !journals.isHeld(id));
}

export async function undoUnfinishedRestore(
  context: EngineContext,
  workers: PluginWorkers,
  id: string,
): Promise<Residue[]> {
  try {
    const { catalog, journals } = context.store;
    await journals.withLock(id, () => clearRestore(context, workers, catalog.find(id)));
    return [];
  } catch (error) {
    return [{ actor: id, op: "restore", error: toFault(error) }];
  }
}

/**
 * Removes the copies of a restore that did not take their place, and unexposes the set if it was exposed for that restore. Each step is
 * taken whatever becomes of the others; the record keeps what is left.
 *
 * @throws the first error, after the last step
 */
export async function clearRestore(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
): Promise<SnapshotSet> {
  const { restoring } = set;
  if (restoring === undefined) return set;
  const { gate, catalog } = context.store;
  let now = set;
  await gate.pass();
  const undo = [
    ...restoring.drafts.map((draft) => () => removeDraft(draft)),
    async () => {
      if (restoring.exposure === "temporary") now = await unexposeSet(context, workers, now);
    },
  ];
  await undoAll(undo, (step) => step());
  const { restoring: _, ...rest } = now;
  await catalog.write(rest);
  return rest;
}
