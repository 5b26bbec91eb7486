import type { Client } from "./client.js";
import { type Cut, type Entry, snapshotName } from "./entry.js";
import { PluginError } from "./errors.js";
import type { GroupRef, ImageInfo } from "./messages.js";
import type { Options } from "./options.js";

/**
 * How the snapshot of an image is taken. All file systems are held meanwhile, so that a group is not needed for one instant: it gives
 * the administrator one object, and is taken if it can be cloned.
 */
export function cutOf({ group }: ImageInfo, { groups }: Options, { connected }: Client): Cut {
  const isTaken = groups === "always" || (groups === "auto" && connected.clonesGroups);
  return group !== null && isTaken ? { by: "group", group } : { by: "image" };
}

/** Asks for all snapshots at once: one for each image, or for each group. */
export async function take(entries: readonly Entry[], client: Client): Promise<void> {
  const groups = new Map<string, { group: GroupRef; name: string }>();
  const requests: Promise<null>[] = [];
  for (const entry of entries) {
    if (entry.held.as !== "planned") continue;
    const { cut } = entry.held;
    const name = snapshotName(entry, cut);
    if (cut.by === "group") groups.set(JSON.stringify(cut.group), { group: cut.group, name });
    else requests.push(client.request("createSnapshot", { of: entry.image, name }));
  }
  for (const one of groups.values()) requests.push(client.request("createGroupSnapshot", one));
  const failed = (await Promise.allSettled(requests)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** The id of a snapshot that was taken. @throws PluginError UNKNOWN_SNAPSHOT */
export async function snapshotIn(entry: Entry, cut: Cut, client: Client): Promise<number> {
  const info = await client.request("info", { of: entry.image });
  const found = findSnapshot(info, snapshotName(entry, cut), cut);
  if (found !== undefined) return found;
  const message = `The image ${entry.imageName} does not have the snapshot ${snapshotName(entry, cut)}.`;
  throw new PluginError("UNKNOWN_SNAPSHOT", message, "Another program may have removed it. Take the set again.");
}

export function findSnapshot({ snapshots }: ImageInfo, name: string, cut: Cut): number | undefined {
  const found = snapshots.find((one) =>
    cut.by === "group"
      ? one.kind === "group" && one.name === name && one.group === cut.group.name
      : one.kind === "user" && one.name === name,
  );
  return found?.id;
}
