import { HoldstillError, toFault } from "../../base/errors/error.js";
import { exit } from "../../base/errors/exit.js";
import type { CoreLog } from "../../base/log/log.js";
import type { Engine } from "../../engine/engine.js";
import type { KeptOperation, OperationResult, Residue } from "../../base/schema/types.js";
import { isDegraded } from "../../transaction/record.js";
import type { OperationStore } from "./operation-store.js";

/** What a service that died has left is undone, and its operations are told how they ended. */
export async function recoverAtStart(requester: Engine, store: OperationStore, log: CoreLog | null): Promise<void> {
  const leftovers = await requester.leftovers();
  const { done, residue } = leftovers.length === 0 ? { done: [], residue: [] } : await requester.recover(leftovers);
  for (const left of done) log?.warn("undone, because who had begun it is gone", { ...left });
  for (const { actor, op, error } of residue) log?.error("could not be undone", { actor, op, error });
  for (const kept of store.newest()) {
    if (kept.operation.state.type !== "ended") store.keep(ended(kept, resultNow(requester, kept, residue)));
  }
}

function ended(kept: KeptOperation, result: OperationResult): KeptOperation {
  const state = { type: "ended", endedAt: new Date().toISOString(), result } as const;
  return { ...kept, operation: { ...kept.operation, state } };
}

/** The record is the commit point: the set is there, whole, or it is not. */
function resultNow(
  requester: Engine,
  { operation: { id } }: KeptOperation,
  residue: readonly Residue[],
): OperationResult {
  try {
    const set = requester.show(id);
    const end = isDegraded(set)
      ? ({ outcome: "degraded", exitCode: exit.degraded } as const)
      : ({ outcome: "created", exitCode: exit.done } as const);
    return { ...end, set: id, residue: [], timeline: set.timeline };
  } catch {
    const error = toFault(new HoldstillError("E_SERVICE_DIED", { operation: id }));
    const end =
      residue.length > 0
        ? ({ outcome: "broken", exitCode: exit.residue } as const)
        : ({ outcome: "aborted", exitCode: exit.aborted } as const);
    return { ...end, error, residue: [...residue], timeline: [] };
  }
}
