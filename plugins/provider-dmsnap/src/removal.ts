import type { Context } from "holdstill/plugin";
import type { Entry } from "./entry.js";
import { forksOf } from "./fork.js";
import { Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { unexpose } from "./exposure.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { resumeOrigin, unstack } from "./stack.js";
import { drop } from "./store.js";

/** Removes a snapshot in any state, and its forks, which depend on it. What no longer exists is a success. */
export async function remove(entry: Entry, registry: Registry, ctx: Context<Options>): Promise<void> {
  if (entry.state === "reverting") {
    const message = `The snapshot ${entry.id} is being put back into ${entry.origin.name}, which is complete only at the end.`;
    throw new PluginError("REVERTING", message, "Revert once more, and then remove it.");
  }
  for (const dependent of forksOf(entry, registry)) await remove(dependent, registry, ctx);
  const mapper = new Mapper(ctx);
  const label = snapshotOf(entry);
  const hidden = await unexpose(entry, registry, ctx);
  await mapper.remove(label);
  await unstack(hidden.origin, mapper);
  await drop(hidden.store, label, ctx);
  registry.remove(hidden.id);
}

/** Undoes a transaction. A snapshot that cannot be removed does not stop the others. */
export async function undo(setId: string, registry: Registry, ctx: Context<Options>): Promise<void> {
  const mapper = new Mapper(ctx);
  const entries = registry.ofSet(setId);
  const released = await Promise.allSettled(entries.map(({ origin }) => resumeOrigin(origin, mapper)));
  const removed: PromiseSettledResult<void>[] = [];
  // A fork is removed with its snapshot.
  for (const entry of entries.filter(({ of }) => of === undefined))
    removed.push(...(await Promise.allSettled([remove(entry, registry, ctx)])));
  const failure = [...released, ...removed].find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
