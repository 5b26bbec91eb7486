import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import path from "node:path";

/**
 * Copies a folder file by file while it changes, as a provider without snapshots does: what vanishes meanwhile is left out,
 * and so is what `exclude` names (Component.exclude). It goes by name, and `between` runs after each file.
 */
export async function fuzzyCopy(
  from: string,
  to: string,
  exclude: readonly string[] = [],
  between: () => Promise<void> = async () => {},
): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  if (exclude.includes(path.join(from, "*"))) return;
  for (const name of (await readdir(from)).toSorted()) {
    const source = path.join(from, name);
    const target = path.join(to, name);
    if (exclude.includes(source)) continue;
    try {
      const stat = await lstat(source);
      if (stat.isDirectory()) await fuzzyCopy(source, target, exclude, between);
      else if (stat.isSymbolicLink()) await symlink(await readlink(source), target);
      else if (stat.isFile()) await copyFile(source, target, constants.COPYFILE_FICLONE);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
    await between();
  }
}
