import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";

export interface FolderEntry {
  /** Absolute. */
  file: string;
  stats: Stats;
}

/** A folder and everything in it, in the order of the paths; symbolic links are entries and are not followed. */
export async function entriesOf(file: string): Promise<FolderEntry[]> {
  const stats = await lstat(file);
  if (!stats.isDirectory()) return [{ file, stats }];
  const inside: FolderEntry[] = [];
  for (const name of (await readdir(file)).toSorted()) inside.push(...(await entriesOf(path.join(file, name))));
  return [{ file, stats }, ...inside];
}
