import { chmod, chown, mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { asUser } from "./least-rights.js";
import type { Options } from "./options.js";
import type { ProcessUser } from "./server-process.js";

/** A folder of the user for socket and temporary files. */
export interface RunFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * The user may fill it as he likes, with links as well: so he also empties it, and root only removes a name that is in a folder of its
 * own.
 */
export async function makeRunFolder(user: ProcessUser, ctx: Context<Options>): Promise<RunFolder> {
  const above = await mkdtemp(path.join(tmpdir(), "hs-mysql-"));
  await chmod(above, 0o711);
  const folder = path.join(above, "run");
  await mkdir(folder, { mode: 0o700 });
  await chown(folder, user.uid, user.gid);
  const remove = async (): Promise<void> => {
    const [setpriv, args] = asUser(user, ["find", folder, "-mindepth", "1", "-delete"]);
    // The user may not be able to enter the folder in which holdstill runs.
    const emptied = await ctx.exec(setpriv, args, { cwd: "/" });
    if (emptied.exitCode !== 0) ctx.log.warn(`${folder} could not be emptied: ${emptied.stderr.trim()}`);
    else await rmdir(folder).then(async () => await rmdir(above));
  };
  return { path: folder, remove };
}
