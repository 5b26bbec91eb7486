import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import path from "node:path";
import type { FileChange } from "../../base/errors/details.js";
import type { LockedPlugin } from "../../base/schema/types.js";
import { entriesOf, type FolderEntry } from "./folder.js";

/** The digests of a folder. */
export type Content = Pick<LockedPlugin, "content" | "files">;

/** Files that tools write beside the code, and that are never loaded. */
const ignored = [
  path.join("node_modules", ".cache"),
  ...["dist", "dist/kit"].map((dir) => path.join(dir, ".tsbuildinfo")),
];

/** SHA-256 over each file's and link's mode and content, and over all of these with their relative paths, in order of path. */
export async function digestFolder(dir: string): Promise<Content> {
  const files: Record<string, string> = {};
  const whole = createHash("sha256");
  for (const entry of await entriesOf(dir)) {
    const name = path.relative(dir, entry.file);
    if (entry.stats.isDirectory() || ignored.some((part) => name === part || name.startsWith(part + path.sep)))
      continue;
    const digest = await digestOf(entry);
    files[name] = digest;
    whole.update(`${name}\0${digest}\0`);
  }
  return { content: `sha256-${whole.digest("hex")}`, files };
}

/** How a folder differs from its pin. */
export function digestDifferences(pinned: Content, seen: Content): FileChange[] {
  const names = [...new Set([...Object.keys(pinned.files), ...Object.keys(seen.files)])].toSorted();
  return names.flatMap((file): FileChange[] => {
    const [before, now] = [pinned.files[file], seen.files[file]];
    if (before === now) return [];
    return [{ file, change: before === undefined ? "added" : now === undefined ? "removed" : "changed" }];
  });
}

async function digestOf({ file, stats }: FolderEntry): Promise<string> {
  const hash = createHash("sha256").update(`${stats.mode.toString(8)}\0`);
  if (stats.isSymbolicLink()) hash.update(await readlink(file, { encoding: "buffer" }));
  else if (stats.isFile()) hash.update(await readFile(file));
  return `sha256-${hash.digest("hex")}`;
}
