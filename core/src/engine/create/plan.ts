import type { Resolution } from "../../host/manifest/resolution.js";
import { makePlan } from "../../plan/make.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import { protectedPaths } from "../protected-paths.js";
import type { EngineContext, Watcher } from "../types.js";
import { interruptible, withOperation } from "../operation.js";

/** What a transaction would do. An interruption ends the plugins that are being asked. */
export function planSet(
  bench: EngineContext,
  plugins: Resolution["plugins"],
  request: SnapshotRequest,
  watching: Watcher,
): Promise<Plan> {
  const { limits } = bench.settings;
  return bench.planning.run(() =>
    withOperation(bench, plugins, watching, (workshop) =>
      interruptible(workshop, () => makePlan(request, workshop.workers, limits, protectedPaths(bench))),
    ),
  );
}
