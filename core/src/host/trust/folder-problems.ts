import { lstat, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import type { TrustProblem } from "../../base/errors/details.js";
import { quoted, ownershipProblems, ownershipProblemsAbove, type TrustedUser } from "../../base/trust/ownership.js";
import { entriesOf, type FolderEntry } from "../manifest/folder.js";

/**
 * What lets somebody other than root and the user who runs holdstill decide which code a plugin runs: an owner or a mode, of the
 * folder, of what is in it or of what is above it, or a symbolic link that leads out. Plugins run with our rights, so a plugin
 * with any such problem is not loaded. `folder` is the path as it was found; it may be a link within its plugin path.
 */
export async function trustProblems(folder: string, who: TrustedUser): Promise<TrustProblem[]> {
  try {
    const dir = await realpath(folder);
    const above = await ownershipProblemsAbove(dir, who);
    const inside: TrustProblem[] = [];
    // Dependencies too: they run as well.
    for (const entry of await entriesOf(dir)) {
      inside.push(...ownershipProblems(entry.file, entry.stats, who), ...(await linkProblem(entry, dir)));
    }
    return [...(await strayFolder(folder, dir)), ...above, ...(await modulesAbove(dir, who)), ...inTotal(dir, inside)];
  } catch (error) {
    const mend = `look at ${quoted(folder)}; every file in it must be readable`;
    return [{ path: folder, problem: (error as Error).message, remedy: mend }];
  }
}

async function linkProblem({ file, stats }: FolderEntry, dir: string): Promise<TrustProblem[]> {
  if (!stats.isSymbolicLink()) return [];
  const target = await realpath(file).catch(() => undefined);
  if (target !== undefined && isInside(target, dir)) return [];
  const text = await readlink(file);
  const mend = `put what it points to in place of the link, or remove it: rm ${quoted(file)}`;
  return [{ path: file, problem: `${file} is a link that leads out of the plugin (${text})`, remedy: mend }];
}

/**
 * Where Node looks for what the plugin imports and has not itself, and for what kind of module its files are: in a sticky folder
 * such as /tmp anybody may make these.
 */
async function modulesAbove(realPath: string, who: TrustedUser): Promise<TrustProblem[]> {
  const found: TrustProblem[] = [];
  for (let dir = realPath; dir !== path.dirname(dir);) {
    dir = path.dirname(dir);
    for (const name of ["node_modules", "package.json"]) {
      const file = path.join(dir, name);
      const stats = await lstat(file).catch(() => null);
      if (stats !== null) found.push(...ownershipProblems(file, stats, who));
    }
  }
  return found;
}

/** A plugin folder may be a link to a neighbour, such as writer-acme -> writer-acme@1.2.0, but not to elsewhere. */
async function strayFolder(folder: string, dir: string): Promise<TrustProblem[]> {
  if (!(await lstat(folder)).isSymbolicLink()) return [];
  if (isInside(dir, await realpath(path.dirname(folder)))) return [];
  const mend = `name ${quoted(dir)} in pluginPaths instead of the link`;
  return [{ path: folder, problem: `${folder} is a link that leads out of the plugin path (${dir})`, remedy: mend }];
}

function isInside(file: string, dir: string): boolean {
  return file === dir || file.startsWith(dir + path.sep);
}

/** A plugin that was unpacked by the wrong user has thousands of wrong files: one line for each way to mend them. */
function inTotal(dir: string, found: readonly TrustProblem[]): TrustProblem[] {
  const total: TrustProblem[] = [];
  for (const [command, recursive] of [
    ["chown ", "chown -R"],
    ["chmod ", "chmod -R"],
  ] as const) {
    const alike = found.filter(({ remedy: mend }) => mend.startsWith(command));
    const [first] = alike;
    if (first === undefined || alike.length === 1) {
      total.push(...alike);
      continue;
    }
    const [, how = ""] = first.remedy.split(" ");
    const problem = `${first.problem}, and ${alike.length - 1} more in ${dir}`;
    total.push({ path: dir, problem, remedy: `${recursive} ${how} ${quoted(dir)}` });
  }
  return [...total, ...found.filter(({ remedy: mend }) => !/^ch(own|mod) /.test(mend))];
}
