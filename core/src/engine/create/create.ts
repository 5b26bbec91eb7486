import type { Rendezvous } from "../../cluster/rendezvous.js";
import { HoldstillError } from "../../base/errors/error.js";
import { resolvePlugins } from "../../host/manifest/resolve.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import { absoluteTargets } from "../../plan/targets.js";
import { sweepExpired } from "../lease/expired-sets.js";
import type { EngineContext, TransactionResult, Watcher } from "../types.js";
import { SetOperation } from "./set-operation.js";

/** The plugins of a config, and what is to be warned of. */
export type Swept = Pick<Resolution, "plugins" | "warnings">;

export interface CreateOptions {
  /** The result of `sweep`, if the caller needs it itself. */
  readonly swept?: Swept;
  /** Where this host meets others that take the same set. */
  readonly rendezvous?: Rendezvous;
}

/** Takes a snapshot set, or undoes everything. Throws if it is refused before anything has begun. */
export async function createSet(
  context: EngineContext,
  asked: SnapshotRequest,
  watcher: Watcher,
  { swept, rendezvous }: CreateOptions = {},
): Promise<TransactionResult> {
  const request = { ...asked, targets: absoluteTargets(asked.targets) };
  const turn = context.queue.enter(request.targets);
  try {
    const { plugins, warnings } = swept ?? (await sweep(context, watcher));
    const operation = await SetOperation.begin(context, plugins, watcher);
    try {
      const plan = await operation.plan(request);
      if (rendezvous !== undefined) refuseCopies(plan);
      operation.announce(plan, warnings);
      const claimed = await operation.claim(plan, turn);
      try {
        const result = await operation.execute(claimed.plan, rendezvous ?? null);
        claimed.release();
        turn.leave();
        await operation.end(result, request);
        return result;
      } finally {
        claimed.release();
      }
    } catch (error) {
      turn.leave();
      await operation.refuse(error, request);
      throw error;
    } finally {
      await operation.close();
    }
  } finally {
    turn.leave();
  }
}

/** Others would hold until the copy is done. @throws HoldstillError E_CLUSTER_REFUSED */
function refuseCopies({ cut, volumes }: Plan): void {
  if (cut !== "fuzzy") return;
  const copied = volumes.map(({ volume, provider }) => `${volume.paths.join(", ")} (${provider})`).join("; ");
  throw new HoldstillError("E_CLUSTER_REFUSED", {
    problem: `A set of several hosts needs snapshots of one instant, and these volumes can only be copied: ${copied}.`,
    hint: "`holdstill doctor` shows which storage is captured at one instant.",
  });
}

/** Removes the sets that outlived their requesters. @returns The plugins of the config. */
export async function sweep(context: EngineContext, watcher: Watcher): Promise<Swept> {
  const resolution = await resolvePlugins(context.settings);
  await sweepExpired(context, resolution.plugins, watcher);
  return resolution;
}
