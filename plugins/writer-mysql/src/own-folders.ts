import { stat } from "node:fs/promises";
import { PluginError } from "./errors.js";
import type { ProcessUser } from "./server-process.js";

/**
 * Refuses a folder that is not the server's. Its user decides what the server reports, and where links in the data directory lead: so it
 * could name any folder of this machine, of which a snapshot would be taken, and which a restore would replace. A folder of root counts as
 * the server's if a group of the server's user may write to it.
 *
 * @throws PluginError MYSQL_NOT_LOCAL
 */
export async function refuseForeign(folders: readonly string[], { uid, gid, groups }: ProcessUser): Promise<void> {
  for (const folder of folders) {
    const found = await stat(folder);
    const isSharedByRoot = found.uid === 0 && (found.mode & 0o020) !== 0 && [gid, ...groups].includes(found.gid);
    if (found.uid === uid || isSharedByRoot) continue;
    const message = `${folder} belongs to user ${found.uid}, and the server runs as user ${uid}, so it is not this server's`;
    const hint = `Find the setting, or the link in the data directory, that leads there. If it is the server's: chown ${uid} ${folder}`;
    throw new PluginError("MYSQL_NOT_LOCAL", message, hint);
  }
}
