import { utimesSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import type { FolderHandle } from "#kit/folder-handle.js";
import { isAbsence } from "#kit/path-refusal.js";
import { inRuns, messagesOf } from "./cp.js";
import { isRoot } from "./probe.js";
import type { Frame } from "./selection.js";

/**
 * Makes the directories that are copied in parts, and closes them until all is copied: without write permission, an ordinary user could
 * not copy anything into them. (Their extended attributes are lost, but for the ACL.)
 */
export async function makeFrames(frames: readonly Frame[], files: FolderHandle, ctx: Context): Promise<void> {
  // `cp --parents` makes the parents of its argument with owner, mode and ACL; without -r it leaves out the directory itself. Nothing
  // but attributes is read, wherever another user leads cp.
  const sources = below(frames).map((frame) => `${frame.path.slice(1)}/.`);
  for (const part of inRuns(sources))
    messagesOf(await ctx.exec("cp", ["-d", "-p", "--parents", "-t", files.path, "--", ...part], { cwd: "/" }));
  for (const { path: dir } of below(frames)) {
    using folder = folderIn(files, dir);
    if (isRoot()) folder?.chown(0, 0);
    folder?.chmod(0o700);
  }
}

/**
 * Deepest first: a directory's time changes with what is made in it, and only this user may enter what is above. The root's own frame
 * is the snapshot's folder, which stays as it is.
 */
export function finishFrames(frames: readonly Frame[], files: FolderHandle): void {
  for (const { path: dir, stat } of below(frames).toReversed()) {
    using folder = folderIn(files, dir);
    if (folder === null) continue;
    if (isRoot()) folder.chown(stat.uid, stat.gid);
    folder.chmod(stat.mode & 0o7777);
    utimesSync(folder.procPath, stat.atimeMs / 1000, stat.mtimeMs / 1000);
  }
}

const below = (frames: readonly Frame[]): Frame[] => frames.filter((frame) => frame.path !== "/");

/** null: it vanished while it was copied. */
function folderIn(files: FolderHandle, dir: string): FolderHandle | null {
  try {
    return files.open(dir.slice(1), { owners: "any" });
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}
