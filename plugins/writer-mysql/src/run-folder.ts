import { chmod, chown, mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { messageOf } from "#kit/plugin-error.js";
import { removeTree } from "#kit/remove-tree.js";
import { walk } from "#kit/walk.js";
import type { Options } from "./options.js";
import type { ProcessUser } from "./server-process.js";

/** A folder of the user for socket and temporary files. */
export interface RunFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * The user may fill it, with links as well, so root removes it by descriptors, which follow none. That needs no program: the call may have
 * been given up, and then none is started for it.
 */
export async function makeRunFolder(user: ProcessUser, ctx: Context<Options>): Promise<RunFolder> {
  const above = await mkdtemp(path.join(tmpdir(), "hs-mysql-"));
  await chmod(above, 0o711);
  const folder = path.join(above, "run");
  await mkdir(folder, { mode: 0o700 });
  await chown(folder, user.uid, user.gid);
  const remove = async (): Promise<void> => {
    try {
      using handle = walk(above);
      const expected = handle.find("run");
      if (expected !== null) await removeTree(handle, "run", { expected });
      await rmdir(above);
    } catch (error) {
      ctx.log.warn(`${above} could not be removed: ${messageOf(error)}`);
    }
  };
  return { path: folder, remove };
}
