import type { Settings } from "../base/config/settings.js";
import type { RootLog } from "../base/log/log.js";
import type { PastTransaction, SnapshotSet } from "../base/schema/types.js";
import type { Damaged } from "../store/catalog.js";
import { judgeRetention, type Retention, type RetentionVerdict } from "../store/retention.js";
import type { CatalogApi, ListedSets } from "./api.js";
import { openContext } from "./context.js";
import type { CatalogContext, OpenOptions } from "./types.js";

/** Reads the config. Loads neither plugins nor workers. @throws HoldstillError E_CONFIG_* */
export async function openCatalog(options: OpenOptions = {}): Promise<CatalogEngine> {
  return new CatalogEngine(await openContext(options));
}

/** What needs only the disk: the records of sets and transactions. */
export class CatalogEngine implements CatalogApi {
  readonly settings: Settings;
  readonly log: RootLog | null;
  readonly #context: CatalogContext;

  constructor(context: CatalogContext) {
    this.settings = context.settings;
    this.log = context.log;
    this.#context = context;
  }

  /** Oldest first; records that cannot be read are reported beside them. */
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } {
    return this.#context.store.catalog.list();
  }

  /** @param key A set's id or the beginning of it, its name, or `latest`. */
  show(key: string): SnapshotSet {
    return this.#context.store.catalog.find(key, this.#context.requester);
  }

  /** Every known transaction, also those that failed, with the reason. Oldest first. */
  history(): PastTransaction[] {
    return this.#context.store.history.read();
  }

  /** Which sets the rules keep, and which they do not; records that cannot be read always stay. Changes nothing. */
  async judge(
    retention: Retention,
    only: (set: SnapshotSet) => boolean = () => true,
    { sets, damaged }: ListedSets = this.list(),
  ): Promise<{ verdicts: RetentionVerdict[]; damaged: Damaged[] }> {
    // `list` starts faster without what it needs.
    const { flawOf } = await import("./sets/flaw.js");
    const now = this.#context.store.catalog.clock.believed();
    return { verdicts: judgeRetention(sets.filter(only), retention, now, flawOf), damaged };
  }

  /** Protects the set from deletion until that instant; one in the past ends the protection. */
  async retain(key: string, until: Date): Promise<SnapshotSet> {
    // The one method here that locks and writes: `list` starts faster without what it needs.
    const { retainSet } = await import("./sets/retain-set.js");
    return retainSet(this.#context, this.show(key).id, until);
  }

  /** The operator says that the clock is right, now and when all sets were taken. */
  async trustClock(): Promise<void> {
    const { trustClock } = await import("./sets/retain-set.js");
    await trustClock(this.#context);
  }
}
