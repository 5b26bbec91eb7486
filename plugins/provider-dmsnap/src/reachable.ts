import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { awayReasonOf } from "./store.js";

/**
 * A store that is away may still have the snapshot. The slice of a device has nothing that would be left behind.
 *
 * @throws PluginError UNREACHABLE
 */
export function assertReachable({ id, setId, state, store }: Entry, { remedy }: Registry): void {
  const reason = state === "planned" || store.kind === "device" ? null : awayReasonOf(store);
  if (reason === null) return;
  const hint = `Mount the store's file system. ${remedy} Then: holdstill delete ${setId} --forget`;
  throw new PluginError("UNREACHABLE", `The store of snapshot ${id} is away. ${reason}`, hint);
}
