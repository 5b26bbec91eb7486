import { lstatSync } from "node:fs";
import type { Damaged } from "../catalog/catalog.js";
import type { Settings } from "../config/settings.js";
import type { Requester } from "../requester/requester.js";
import type { SnapshotSet } from "../schema/types.js";

type Shared =
  | "plan"
  | "create"
  | "expose"
  | "conceal"
  | "verify"
  | "complete"
  | "removeAll"
  | "writers"
  | "providers"
  | "history"
  | "asOfNow";

/** What both doors lead to: the engine in this process, and the one of the service. */
export interface Door extends Pick<Requester, Shared> {
  readonly settings: Settings;
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } | Promise<{ sets: SnapshotSet[]; damaged: Damaged[] }>;
  show(key: string): SnapshotSet | Promise<SnapshotSet>;
}

/**
 * The service where it runs, works with the same state, and lets us in; else the engine itself. For root both do the same. Others,
 * who cannot work with root's state, go by the service unless they have a config of their own.
 */
export async function doorOf(requester: Requester): Promise<Door> {
  const { socket } = requester.settings.service;
  const there = lstatSync(socket, { throwIfNoEntry: false });
  const isTrusted = there?.isSocket() === true && (there.uid === 0 || there.uid === process.getuid?.());
  if (!isTrusted) return requester;
  const { RemoteRequester } = await import("./remote.js");
  return (await RemoteRequester.connect(requester.settings)) ?? requester;
}
