import { HoldstillError, toFault } from "../../base/errors/error.js";
import { endingOf, endingOfSet } from "../../base/errors/outcome.js";
import type { CoreLog } from "../../base/log/log.js";
import type { Engine } from "../../engine/engine.js";
import type { KeptOperation, OperationResult, Residue } from "../../base/schema/types.js";
import { isDegraded } from "../../transaction/record.js";
import type { OperationStore } from "../../store/operation-store.js";

/** Undoes what a service left that died, and stores the results of its operations. */
export async function recoverAtStart(engine: Engine, store: OperationStore, log: CoreLog | null): Promise<void> {
  const leftovers = await engine.leftovers();
  const { done, residue } = leftovers.length === 0 ? { done: [], residue: [] } : await engine.recover(leftovers);
  for (const left of done) log?.warn("undone, because the process that began it died", { ...left });
  for (const { actor, op, error } of residue) log?.error("could not be undone", { actor, op, error });
  for (const kept of store.newest()) {
    if (kept.operation.state.type !== "ended") await store.keep(ended(kept, resultNow(engine, kept, residue)));
  }
}

function ended(kept: KeptOperation, result: OperationResult): KeptOperation {
  const state = { type: "ended", endedAt: new Date().toISOString(), result } as const;
  return { ...kept, operation: { ...kept.operation, state } };
}

/** The record is the commit point: the set exists as a whole, or not at all. */
function resultNow(engine: Engine, { operation: { id } }: KeptOperation, residue: readonly Residue[]): OperationResult {
  try {
    const set = engine.show(id);
    return { ...endingOfSet(isDegraded(set) ? "lower" : "as-asked", []), set: id, residue: [], timeline: set.timeline };
  } catch {
    const error = toFault(new HoldstillError("E_SERVICE_DIED", { operation: id }));
    return {
      ...endingOf(error.code, residue.length > 0 ? "residue" : "undone"),
      error,
      residue: [...residue],
      timeline: [],
    };
  }
}
