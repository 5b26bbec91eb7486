import { existsSync } from "node:fs";
import path from "node:path";
import type { Snapshot } from "holdstill/plugin";
import { awayReason, mountPointOf } from "#kit/away.js";
import { PluginError } from "./errors.js";
import { type Entry, folderOf, type Registry } from "./registry.js";

type Kept = Pick<Entry, "id" | "setId" | "store"> & { mount?: string | undefined };

/** Why it is not known whether a snapshot is there; null: its folder is there, or is gone. */
export function awayReasonOf({ id, store, mount }: Kept): string | null {
  return existsSync(folderOf({ id, store })) ? null : awayReason(store, mount);
}

/** Not gone: after a reboot the file system may not be mounted yet, and the data would be forgotten. @throws PluginError UNREACHABLE */
export function assertReachable(kept: Kept, registry: Registry): void {
  const reason = awayReasonOf(kept);
  if (reason === null) return;
  const hint = `Mount the store's file system. ${registry.remedy} Then: holdstill delete ${kept.setId} --forget`;
  throw new PluginError("UNREACHABLE", `The store of snapshot ${kept.id} is away. ${reason}`, hint);
}

/** Of a snapshot without an entry, as the host's record has it; null: its store's file system is mounted, or is not known. */
export function recordedPlaceOf({ id, setId, facts = {} }: Snapshot): Kept | null {
  const { path: folder, mount } = facts;
  if (typeof folder !== "string" || typeof mount !== "string") return null;
  const store = path.dirname(folder);
  return mountPointOf(store) === mount ? null : { id, setId, store, mount };
}
