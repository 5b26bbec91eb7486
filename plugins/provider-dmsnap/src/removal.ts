import type { Context } from "holdstill/plugin";
import type { Entry } from "./entry.js";
import { forksOf } from "./fork.js";
import { Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { unexpose } from "./exposure.js";
import { PluginError } from "./errors.js";
import { assertReachable } from "./reachable.js";
import type { Registry } from "./registry.js";
import { unstack } from "./stack.js";
import { drop } from "./store.js";

/** Removes a snapshot in any state, and its forks, which depend on it. What no longer exists is a success. */
export async function remove(entry: Entry, registry: Registry, ctx: Context<Options>): Promise<void> {
  if (entry.state === "reverting") {
    const message = `The snapshot ${entry.id} is being put back into ${entry.origin.name}, which is complete only at the end.`;
    throw new PluginError("REVERTING", message, "Revert once more, and then remove it.");
  }
  assertReachable(entry, registry);
  for (const dependent of forksOf(entry, registry)) await remove(dependent, registry, ctx);
  const mapper = new Mapper(ctx);
  const label = snapshotOf(entry);
  const hidden = await unexpose(entry, registry, ctx);
  await mapper.remove(label);
  await unstack(hidden.origin, mapper);
  await drop(hidden.store, label, ctx);
  registry.remove(hidden.id);
}

/**
 * Undoes a transaction. A snapshot that cannot be removed does not stop the others. The host has released what it held: an origin that
 * is suspended now is held by another program.
 */
export async function undo(setId: string, registry: Registry, ctx: Context<Options>): Promise<void> {
  const removed: PromiseSettledResult<void>[] = [];
  // A fork is removed with its snapshot.
  for (const entry of registry.ofSet(setId).filter(({ of }) => of === undefined))
    removed.push(...(await Promise.allSettled([remove(entry, registry, ctx)])));
  const failure = removed.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
