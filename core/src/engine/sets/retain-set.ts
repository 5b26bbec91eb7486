import { HoldstillError } from "../../base/errors/error.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { Store } from "../../store/store.js";
import type { CatalogContext } from "../types.js";

/** Ends all doubts about times. A set that another process works on keeps its doubt. @throws HoldstillError E_STATE_DIR, E_SET_BUSY */
export async function trustClock({ settings, store: records }: CatalogContext): Promise<void> {
  const { journals, catalog } = new Store(records, settings.exposeDir);
  await catalog.acceptClock();
  for (const { id } of catalog.list().sets.filter(({ clockDoubt }) => clockDoubt !== undefined)) {
    await journals.withLock(id, async () => {
      const { clockDoubt: _, ...set } = catalog.find(id);
      await catalog.write(set);
    });
  }
}

/** Protects a set from deletion until that instant. @throws HoldstillError E_SET_BUSY; E_USAGE for a set that has a lease */
export function retainSet({ settings, store: records }: CatalogContext, id: string, until: Date): Promise<SnapshotSet> {
  const { journals, catalog, audit } = new Store(records, settings.exposeDir);
  return journals.withLock(id, async () => {
    const set = { ...catalog.find(id), retainUntil: until.toISOString() };
    if (set.lease !== undefined) {
      const problem = `Set ${id} lives as long as its requester, pid ${set.lease.pid}.`;
      throw new HoldstillError("E_USAGE", { problem, hint: "Take one that stays, with `holdstill create`." });
    }
    await audit.note(null, "retain", set, set.retainUntil);
    await catalog.write(set);
    return set;
  });
}
