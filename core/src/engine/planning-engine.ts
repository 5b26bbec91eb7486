import { availableParallelism } from "node:os";
import { resolvePlugins } from "../host/manifest/resolve.js";
import { Semaphore } from "../os/semaphore.js";
import type { Plan, SnapshotRequest } from "../plan/plan.js";
import type { PlanApi } from "./api.js";
import { CatalogEngine } from "./catalog-engine.js";
import { openContext } from "./context.js";
import { Operation } from "./operation.js";
import type { CatalogContext, OpenOptions, PlanContext, Watcher } from "./types.js";

/** Reads the config. Loads plugins when they are needed, and nothing that takes a set. @throws HoldstillError E_CONFIG_* */
export async function openPlanning(options: OpenOptions = {}): Promise<PlanningEngine> {
  return new PlanningEngine(planContext(await openContext(options)));
}

export const planContext = (context: CatalogContext): PlanContext => ({
  ...context,
  planning: new Semaphore(2 * availableParallelism()),
});

/** What asks plugins and takes no set. A part of `Engine`, because `plan` starts faster without the rest. */
export class PlanningEngine extends CatalogEngine implements PlanApi {
  readonly #context: PlanContext;

  constructor(context: PlanContext) {
    super(context);
    this.#context = context;
  }

  /** What a transaction would do. Changes nothing. An interruption ends the plugins that are being asked. */
  async plan(request: SnapshotRequest, watcher: Watcher = {}): Promise<Plan> {
    const { plugins } = await resolvePlugins(this.settings);
    const operation = await Operation.begin(this.#context, plugins, watcher);
    try {
      return await operation.plan(request);
    } finally {
      await operation.close();
    }
  }
}
