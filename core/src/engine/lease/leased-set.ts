import { makeStateDir } from "../../store/state-directory.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import type { Request } from "../../plan/plan.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { create } from "../create/create.js";
import { Lease } from "./lease.js";
import type { Lender } from "./temporary-set.js";
import type { Bench, Ended, Watching } from "../types.js";

/** A set while somebody needs it. */
export interface Tenancy {
  pictures: "exposed" | "concealed";
  /** The set is there. Settles when it is no longer needed. */
  lasts: (set: SnapshotSet) => Promise<void>;
}

/** Takes a set and keeps it while `lasts` does; then, or when this process dies, it goes. */
export async function hold(
  lender: Lender,
  request: Request,
  { pictures, lasts }: Tenancy,
  watching: Watching,
): Promise<Ended> {
  const { ended } = await lender.lend(request, "shared", watching, async (loan) => {
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
  bench: Bench,
  request: Request,
  fd: number,
  resolution: Pick<Resolution, "plugins" | "warnings">,
  watching: Watching,
): Promise<Ended> {
  makeStateDir(bench.state);
  const lease = Lease.inherit(bench.state, fd);
  try {
    const ended = await create(bench, { ...request, lease: lease.mark }, resolution, watching);
    if (ended.set === null) lease.release();
    return ended;
  } catch (error) {
    lease.release();
    throw error;
  }
}
