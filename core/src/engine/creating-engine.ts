import type { ClusterSetDocument } from "../base/schema/types.js";
import type { SnapshotRequest } from "../plan/plan.js";
import { Store } from "../store/store.js";
import type { CreateApi } from "./api.js";
import { openContext } from "./context.js";
import type { ClusterRequest } from "./cluster/requested-set.js";
import { createSet } from "./create/create.js";
import { VolumeQueue } from "./create/volume-queue.js";
import { createLeased } from "./lease/leased-set.js";
import { planContext, PlanningEngine } from "./planning-engine.js";
import type { CatalogContext, EngineContext, OpenOptions, TransactionResult, Watcher } from "./types.js";

/** Reads the config. Loads what takes a set, and nothing of what is done with sets afterwards. @throws HoldstillError E_CONFIG_* */
export async function openCreating(options: OpenOptions = {}): Promise<CreatingEngine> {
  return new CreatingEngine(engineContext(await openContext(options)));
}

export const engineContext = (context: CatalogContext): EngineContext => ({
  ...planContext(context),
  store: new Store(context.store, context.settings.exposeDir),
  queue: new VolumeQueue(),
});

/** What takes sets. A part of `Engine`, because `create` starts faster without the rest. */
export class CreatingEngine extends PlanningEngine implements CreateApi {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    super(context);
    this.#context = context;
  }

  /** Takes a snapshot set, or undoes everything. */
  create(request: SnapshotRequest, watcher: Watcher = {}): Promise<TransactionResult> {
    return createSet(this.#context, request, watcher);
  }

  /** Takes one set over several hosts, or none. @throws HoldstillError E_CLUSTER_*: nothing was begun */
  async createCluster(request: ClusterRequest, watcher: Watcher = {}): Promise<ClusterSetDocument> {
    const { requestClusterSet } = await import("./cluster/requested-set.js");
    return requestClusterSet(this.#context, request, watcher);
  }

  /** Takes a set that lives while any process has this descriptor, which this process has inherited, open. */
  createLeased(request: SnapshotRequest, fd: number, watcher: Watcher = {}): Promise<TransactionResult> {
    return createLeased(this.#context, request, fd, watcher);
  }
}
