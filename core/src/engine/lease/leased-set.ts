import type { SnapshotSet } from "../../base/schema/types.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import { createSet } from "../create/create.js";
import type { EngineContext, TransactionResult, Watcher } from "../types.js";
import type { TemporarySets } from "./temporary-set.js";

/** A set while its requester needs it. */
export interface LeaseTerms {
  contents: "exposed" | "unexposed";
  /** The set is there. Settles when it is no longer needed. */
  lasts: (set: SnapshotSet) => Promise<void>;
}

/** Takes a set and keeps it while `lasts` does. After that, or when this process dies, the set is removed. */
export async function holdLease(
  sets: TemporarySets,
  request: SnapshotRequest,
  { contents, lasts }: LeaseTerms,
  watcher: Watcher,
): Promise<TransactionResult> {
  const { ended } = await sets.withTemporarySet(request, "shared", watcher, async (temporary) => {
    try {
      const set = contents === "exposed" ? await temporary.expose() : temporary.set;
      await temporary.whilst(() => Promise.race([lasts(set), lossOf(temporary.lost)]));
    } finally {
      if (!temporary.lost.aborted) await temporary.end("delete");
    }
  });
  return ended;
}

function lossOf(lost: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(lost.reason as Error);
    lost.addEventListener("abort", fail, { once: true });
    if (lost.aborted) fail();
  });
}

/** Takes a set that lives while any process has that descriptor of this process open. After that, the next sweep removes it. */
export async function createLeased(
  context: EngineContext,
  request: SnapshotRequest,
  fd: number,
  watcher: Watcher,
): Promise<TransactionResult> {
  await context.store.prepare();
  const lease = await context.store.leases.inherit(fd);
  try {
    const ended = await createSet(context, { ...request, lease: lease.mark }, watcher);
    if (ended.set === null) await lease.release();
    return ended;
  } catch (error) {
    await lease.release();
    throw error;
  }
}
