import path from "node:path";
import type { Context } from "holdstill/plugin";
import { EntryFolder } from "#kit/entry-folder.js";
import { hasGroup, type LogicalVolume, type VolumeGroup } from "./logical-volume.js";
import { ownOf } from "./ownership.js";

interface KnownGroup {
  /** LVM's UUID. */
  readonly id: string;
  /** When a snapshot was last sealed in it. */
  readonly name: string;
}

const folderOf = ({ dataDir }: Pick<Context, "dataDir">): EntryFolder<KnownGroup> =>
  new EntryFolder(path.join(dataDir, "groups"), ({ name }) => typeof name === "string");

/** Remembers that this instance has snapshots in the groups: LVM does not report what it does not see. */
export function knowGroups(groups: readonly VolumeGroup[], ctx: Context): void {
  const folder = folderOf(ctx);
  for (const { uuid, name } of groups) if (folder.read(uuid)?.name !== name) folder.write({ id: uuid, name });
}

/** The groups with snapshots that LVM does not see now, a sentence each. */
export async function unseenGroups(all: readonly LogicalVolume[], ctx: Context): Promise<string[]> {
  const folder = folderOf(ctx);
  const unseen: string[] = [];
  for (const id of folder.ids()) {
    if (await hasGroup(id, all, ctx)) continue;
    const name = folder.read(id)?.name ?? id;
    unseen.push(`The volume group ${name} is not there. If it no longer exists, remove ${folder.fileOf(id)}.`);
  }
  return unseen;
}

/** Forgets the groups that are there, and have no more snapshots. */
export async function forgetGroups(all: readonly LogicalVolume[], ctx: Context): Promise<void> {
  const folder = folderOf(ctx);
  const used = new Set(all.filter((volume) => ownOf(volume) !== null).map(({ vg }) => vg.uuid));
  for (const id of folder.ids()) if (!used.has(id) && (await hasGroup(id, all, ctx))) folder.remove(id);
}
