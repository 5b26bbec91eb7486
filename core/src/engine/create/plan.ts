import type { Resolution } from "../../host/manifest/resolution.js";
import { makePlan } from "../../plan/make.js";
import type { Plan, Request } from "../../plan/plan.js";
import { guardedOf } from "../protected-paths.js";
import type { Bench, Watching } from "../types.js";
import { interruptible, withCrew } from "../operation.js";

/** What a transaction would do. An interruption ends the plugins that are being asked. */
export function plan(
  bench: Bench,
  plugins: Resolution["plugins"],
  request: Request,
  watching: Watching,
): Promise<Plan> {
  const { limits } = bench.settings;
  return bench.planning.run(() =>
    withCrew(bench, plugins, watching, (workshop) =>
      interruptible(workshop, () => makePlan(request, workshop.crew, limits, guardedOf(bench))),
    ),
  );
}
