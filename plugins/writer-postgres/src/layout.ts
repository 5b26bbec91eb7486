import { lstatSync } from "node:fs";
import path from "node:path";
import { PluginError } from "./errors.js";

/**
 * The folders of a data directory that a server writes to, without the links in pg_tblspc (manual, "Database File Layout").
 * pg_stat_tmp and the folder of the log are not among them: a server on a snapshot uses neither.
 */
export const serverFolders: readonly string[] = [
  "base",
  "global",
  "pg_commit_ts",
  "pg_dynshmem",
  "pg_logical",
  "pg_multixact",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat",
  "pg_subtrans",
  "pg_twophase",
  "pg_wal",
  "pg_xact",
];

/**
 * Data elsewhere that a server finds by such a link are in no snapshot. Only pg_wal, and what is in pg_tblspc, are followed.
 *
 * @throws PG_SNAPSHOT
 */
export function refuseLinkedFolders(dataDir: string): void {
  for (const name of serverFolders.filter((one) => one !== "pg_wal")) {
    const folder = path.join(dataDir, name);
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const hint = "Stop the server, and make it a folder, or a mount.";
    throw new PluginError("PG_SNAPSHOT", `${folder} is a symbolic link, and what it leads to is not captured`, hint);
  }
}
