import type { Context, Snapshot } from "holdstill/plugin";
import { compose } from "./contents.js";
import { WHOLE } from "./entry.js";
import { withWhole } from "./find.js";
import type { Options } from "./options.js";
import { removeEntry } from "./removal.js";
import { toSnapshot } from "./snapshot.js";

/** A second, writable snapshot of the same set: one tree, with what is nested in its place. */
export async function fork(snapshot: Snapshot, ctx: Context<Options>): Promise<Snapshot> {
  return await withWhole(snapshot, ctx, async ({ entry, store, pieces }) => {
    const from = pieces[0].subvolume.uuid;
    const createdAt = new Date().toISOString();
    const id = store.nextId(entry.setId);
    const { swap: _, ...shared } = entry;
    const planned = store.begin({
      ...shared,
      id,
      of: entry.id,
      state: "planned",
      createdAt,
      parts: [],
      whole: { from },
    });
    try {
      const { uuid } = await compose(pieces, store.pathOf(planned, WHOLE), store, ctx);
      return toSnapshot(store.write({ ...planned, state: "sealed", whole: { from, uuid } }), store.top.fs);
    } catch (error) {
      // After an abort the host asks for it.
      if (!ctx.signal.aborted) await removeEntry(planned, store, ctx).catch(() => null);
      throw error;
    }
  });
}
