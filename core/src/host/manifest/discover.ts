import { lstat, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import type { TrustProblem } from "../../base/errors/details.js";
import type { TrustedUser } from "../../base/trust/ownership.js";
import { trustProblems } from "../trust/folder-problems.js";
import { readManifest, type ReadManifest } from "./validate.js";

/** A plugin folder as it was found. The name of the folder has no meaning: the manifest decides. */
export interface Found {
  /** Real path. */
  dir: string;
  read: ReadManifest;
  /** What lets another user change the plugin. Empty: the plugin is trusted. */
  problems: TrustProblem[];
}

export interface Discovery {
  found: Found[];
  /** A sentence for each plugin path that could not be searched. */
  warnings: string[];
}

const manifestName = "plugin.json";

/**
 * Finds every folder with a manifest on the plugin paths. A path may also be a plugin folder itself. A folder counts once.
 *
 * @param asked As in readManifest.
 */
export async function discover(
  pluginPaths: readonly string[],
  who: TrustedUser,
  asked: ReadonlySet<string> | null = null,
): Promise<Discovery> {
  const read = new Map<string, { folder: string; manifest: ReadManifest }>();
  const warnings: string[] = [];
  const attempt = async <T>(what: string, act: Promise<T>): Promise<T | undefined> =>
    act.catch((error: Error) => void warnings.push(`The ${what} cannot be searched: ${error.message}`));
  for (const pluginPath of pluginPaths) {
    for (const folder of (await attempt(`plugin path ${pluginPath}`, pluginFolders(pluginPath))) ?? []) {
      const dir = await attempt(`folder ${folder}`, realpath(folder));
      if (dir === undefined || read.has(dir)) continue;
      read.set(dir, { folder, manifest: await readManifest(path.join(dir, manifestName), asked) });
    }
  }
  const mayBeLoaded = loadable(
    [...read.values()].map(({ manifest }) => manifest),
    asked,
  );
  const found: Found[] = [];
  for (const [dir, { folder, manifest }] of read)
    found.push({ dir, read: manifest, problems: mayBeLoaded(manifest) ? await trustProblems(folder, who) : [] });
  return { found, warnings };
}

/** Whether it matters who can change a plugin. Every version counts whose name is asked for, or is that of a fallback. */
function loadable(all: readonly ReadManifest[], asked: ReadonlySet<string> | null): (read: ReadManifest) => boolean {
  if (asked === null) return () => true;
  const named = all.map((read) => (read.state === "valid" ? read.manifest : read));
  const fallbacks = named.filter(({ fallback }) => fallback === true).map(({ name }) => name);
  const names = new Set<string | undefined>([...asked, ...fallbacks]);
  return (read) => read.state !== "valid" || names.has(read.manifest.name);
}

async function pluginFolders(pluginPath: string): Promise<string[]> {
  if (await hasManifest(pluginPath)) return [await realpath(pluginPath)];
  const entries = await readdir(pluginPath);
  const folders = entries.toSorted().map((entry) => path.join(pluginPath, entry));
  const kept = await Promise.all(folders.map((folder) => hasManifest(folder)));
  return folders.filter((_, index) => kept[index]);
}

/** A manifest that cannot be read counts: `plugins list` shows why the plugin cannot be used. */
async function hasManifest(folder: string): Promise<boolean> {
  return lstat(path.join(folder, manifestName)).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
}
