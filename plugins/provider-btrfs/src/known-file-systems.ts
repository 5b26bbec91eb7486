import path from "node:path";
import type { Context } from "holdstill/plugin";
import { EntryFolder } from "#kit/entry-folder.js";
import { PluginError } from "./errors.js";
import type { FileSystem } from "./file-system.js";

interface KnownFileSystem {
  /** The UUID of the file system. */
  readonly id: string;
  /** Where it was mounted when a snapshot was last made in it. */
  readonly mountPoint: string;
}

const folderOf = ({ dataDir }: Pick<Context, "dataDir">): EntryFolder<KnownFileSystem> =>
  new EntryFolder(path.join(dataDir, "filesystems"), ({ mountPoint }) => typeof mountPoint === "string");

/** Remembers that this instance has snapshots in the file system: while it is not mounted, nothing is seen of them. */
export function know({ uuid, mounts: [mount] }: FileSystem, ctx: Pick<Context, "dataDir">): void {
  const folder = folderOf(ctx);
  const mountPoint = mount?.point ?? "";
  if (folder.read(uuid)?.mountPoint !== mountPoint) folder.write({ id: uuid, mountPoint });
}

/** The file system is mounted, and has no more snapshots. */
export const forget = ({ uuid }: FileSystem, ctx: Pick<Context, "dataDir">): void => folderOf(ctx).remove(uuid);

/** The file systems with snapshots that are not mounted now, a sentence each. */
export function unseenFileSystems(mounted: readonly FileSystem[], ctx: Pick<Context, "dataDir">): string[] {
  const folder = folderOf(ctx);
  return folder
    .ids()
    .filter((id) => !mounted.some(({ uuid }) => uuid === id))
    .map((id) => {
      const point = folder.read(id)?.mountPoint ?? "";
      const where = point === "" ? "" : `, which was at ${point},`;
      return `The btrfs ${id}${where} is not mounted. If it no longer exists, remove ${folder.fileOf(id)}.`;
    });
}

/** What is not mounted may still have the snapshot. */
export function notMounted(what: string, uuid: string, setId: string): PluginError {
  const message = `The btrfs ${uuid} is not mounted, so it is unknown whether ${what} still exists.`;
  const hint = `Mount it; if it no longer exists: holdstill delete ${setId} --forget`;
  return new PluginError("UNREACHABLE", message, hint);
}
