import { lstat, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import type { TrustProblem } from "../../base/errors/details.js";
import { quoted, ownershipProblems, ownershipProblemsAbove, type TrustedUser } from "../../base/trust/ownership.js";
import { accessListProblems, accessListProblemsAbove } from "./access-list.js";
import { entriesOf, type FolderEntry } from "../manifest/folder.js";

/**
 * What lets another user decide which code a plugin runs: the owner or the mode of the folder, of a file in it, or of a folder
 * above it, or a symbolic link that leads out. Only root and the user who runs holdstill are trusted. Plugins run with the
 * rights of holdstill, so a plugin with such a problem is not loaded. `folder` may be a link within its plugin path.
 */
export async function trustProblems(folder: string, who: TrustedUser): Promise<TrustProblem[]> {
  try {
    const dir = await realpath(folder);
    const above = [
      ...(await ownershipProblemsAbove(dir, who)),
      ...(await accessListProblemsAbove(path.dirname(dir), who)),
    ];
    const inside: TrustProblem[] = [];
    // Including dependencies, because they run as well.
    for (const entry of await entriesOf(dir)) {
      inside.push(...ownershipProblems(entry.file, entry.stats, who), ...(await linkProblem(entry, dir)));
      if (isListed(entry, dir)) inside.push(...(await accessListProblems(entry.file, who)));
    }
    return [...(await strayFolder(folder, dir)), ...above, ...(await modulesAbove(dir, who)), ...inTotal(dir, inside)];
  } catch (error) {
    const remedy = `check ${quoted(folder)}: every file in it must be readable`;
    return [{ path: folder, problem: (error as Error).message, remedy }];
  }
}

/** Whether its access control list is worth a look: that of the folder itself shows whether its file system has lists of its own. */
const isListed = ({ file, stats }: FolderEntry, dir: string): boolean => file === dir || (stats.mode & 0o020) !== 0;

async function linkProblem({ file, stats }: FolderEntry, dir: string): Promise<TrustProblem[]> {
  if (!stats.isSymbolicLink()) return [];
  const target = await realpath(file).catch(() => undefined);
  if (target !== undefined && isInside(target, dir)) return [];
  const text = await readlink(file);
  const remedy = `replace the link with its target, or remove it: rm ${quoted(file)}`;
  return [{ path: file, problem: `${file} is a link that leads out of the plugin (${text})`, remedy }];
}

/**
 * Files above the plugin from which Node loads what the plugin imports and does not have itself, and the type of its modules.
 * In a sticky folder such as /tmp any user may create these.
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
  const remedy = `name ${quoted(dir)} in pluginPaths instead of the link`;
  return [{ path: folder, problem: `${folder} is a link that leads out of the plugin path (${dir})`, remedy }];
}

function isInside(file: string, dir: string): boolean {
  return file === dir || file.startsWith(dir + path.sep);
}

/** A plugin that the wrong user unpacked has thousands of wrong files: one line for each command that fixes them. */
function inTotal(dir: string, found: readonly TrustProblem[]): TrustProblem[] {
  const total: TrustProblem[] = [];
  for (const [command, recursive] of [
    ["chown ", "chown -R"],
    ["chmod ", "chmod -R"],
  ] as const) {
    const alike = found.filter(({ remedy }) => remedy.startsWith(command));
    const [first] = alike;
    if (first === undefined || alike.length === 1) {
      total.push(...alike);
      continue;
    }
    const [, how = ""] = first.remedy.split(" ");
    const problem = `${first.problem}, and ${alike.length - 1} more in ${dir}`;
    total.push({ path: dir, problem, remedy: `${recursive} ${how} ${quoted(dir)}` });
  }
  return [...total, ...found.filter(({ remedy }) => !/^ch(own|mod) /.test(remedy))];
}
