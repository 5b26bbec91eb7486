import type { Context } from "holdstill/plugin";
import type { Entry } from "./entry.js";
import { Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { assertSound } from "./exposure.js";
import { readBootId } from "./reassembly.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { spaceFor } from "./size.js";
import { snapshotTable } from "./stack.js";
import { allot, make, placeOf } from "./store.js";

/** Makes a snapshot of a snapshot, with a separate store: what is written to it leaves the first one as it was cut. */
export async function fork(cut: Entry, registry: Registry, ctx: Context<Options>): Promise<Entry> {
  if (cut.of !== undefined || cut.shown?.view.access === "writable") {
    const message = `${cut.id} is ${cut.of === undefined ? "exposed writable" : "a fork itself"}, so it is not forked.`;
    throw new PluginError("UNSUPPORTED", message, "Fork the snapshot as it was cut.");
  }
  const mapper = new Mapper(ctx);
  await assertSound(cut, registry, mapper);
  const numbers = registry.ofSet(cut.setId).map(({ id }) => Number(id.slice(id.lastIndexOf(".") + 1)));
  const id = `${cut.setId}.${Math.max(...numbers) + 1}`;
  const place = placeOf(ctx.options, ctx.dataDir);
  const [store] = await allot(
    place,
    [{ id, bytes: spaceFor(ctx.options.size, cut.origin.sectors * 512) }],
    registry,
    ctx,
  );
  if (store === undefined) throw new RangeError("one store was asked for");
  const { shown: _, ...rest } = cut;
  const exceptions = cut.exceptions === "persistent" && store.kind !== "memory" ? "persistent" : "transient";
  const entry = registry.write({ ...rest, id, of: cut.id, store, exceptions, state: "planned", bootId: readBootId() });
  const label = snapshotOf(entry);
  await mapper.create(label, snapshotTable(entry, await make(store, label, registry, ctx)));
  return registry.write({ ...entry, state: "sealed" });
}

/** Those that read what they have not changed from this one. */
export function forksOf({ id, setId }: Entry, registry: Registry): Entry[] {
  return registry.ofSet(setId).filter((entry) => entry.of === id);
}
