import { makeStateDir } from "../../store/state-directory.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { createSet } from "../create/create.js";
import { Lease } from "../../store/lease.js";
import type { TemporarySets } from "./temporary-set.js";
import type { EngineContext, TransactionResult, Watcher } from "../types.js";

/** A set while somebody needs it. */
export interface LeaseTerms {
  pictures: "exposed" | "unexposed";
  /** The set is there. Settles when it is no longer needed. */
  lasts: (set: SnapshotSet) => Promise<void>;
}

/** Takes a set and keeps it while `lasts` does; then, or when this process dies, it goes. */
export async function holdLease(
  lender: TemporarySets,
  request: SnapshotRequest,
  { pictures, lasts }: LeaseTerms,
  watching: Watcher,
): Promise<TransactionResult> {
  const { ended } = await lender.withTemporarySet(request, "shared", watching, async (loan) => {
    try {
      const set = pictures === "exposed" ? await loan.expose() : loan.set;
      await loan.whilst(() => Promise.race([lasts(set), lossOf(loan.lost)]));
    } finally {
      if (!loan.lost.aborted) await loan.end("delete");
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

/** Takes a set that lives while somebody has that descriptor of ours open: it is removed by the first who comes after that. */
export async function createLeased(
  bench: EngineContext,
  request: SnapshotRequest,
  fd: number,
  resolution: Pick<Resolution, "plugins" | "warnings">,
  watching: Watcher,
): Promise<TransactionResult> {
  makeStateDir(bench.state);
  const lease = Lease.inherit(bench.state, fd);
  try {
    const ended = await createSet(bench, { ...request, lease: lease.mark }, resolution, watching);
    if (ended.set === null) lease.release();
    return ended;
  } catch (error) {
    lease.release();
    throw error;
  }
}
