import { createHash } from "node:crypto";
import { readFile, readlink, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseText } from "../config/document.js";
import { HoldstillError } from "../errors/error.js";
import type { PluginLock } from "../schema/types.js";
import { validate } from "../schema/validate.js";
import { entriesOf, type Entry } from "./folder.js";
import type { ResolvedPlugin } from "./resolution.js";

/** The lock of these plugins, each once. */
export async function lockOf(plugins: readonly ResolvedPlugin[]): Promise<PluginLock> {
  const folders = new Map(plugins.map(({ dir, manifest }) => [dir, manifest]));
  const locked = [...folders].map(async ([dir, { name, version }]) => ({
    name,
    version,
    content: await hashFolder(dir),
  }));
  const byName = (await Promise.all(locked)).toSorted((a, b) =>
    `${a.name}@${a.version}`.localeCompare(`${b.name}@${b.version}`, "en"),
  );
  return { lockVersion: 1, plugins: byName };
}

/** Writes a lock file in one step. */
export async function writeLock(file: string, lock: PluginLock): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(lock, null, 2)}\n`, { mode: 0o644, flush: true });
  await rename(draft, file);
}

/** What of the plugins is not as the lock file pins it. Without a lock file nothing is pinned. */
export async function lockProblems(file: string | null, plugins: readonly ResolvedPlugin[]): Promise<HoldstillError[]> {
  if (file === null) return [];
  try {
    const pinned = await readLock(file);
    const actual = await lockOf(plugins);
    return actual.plugins.flatMap(({ name, version, content: seen }) => {
      const pin = pinned.plugins.find((one) => one.name === name && one.version === version);
      const expected = pin?.content ?? null;
      return seen === expected ? [] : [new HoldstillError("E_PLUGIN_LOCKED", { name, version, expected, seen })];
    });
  } catch (error) {
    if (error instanceof HoldstillError) return [error];
    return [new HoldstillError("E_CONFIG_UNREADABLE", { file, reason: (error as Error).message }, { cause: error })];
  }
}

/** Throws E_CONFIG_INVALID: the lock file is a part of the config. */
export async function readLock(file: string): Promise<PluginLock> {
  const { value, findings, lineOf } = parseText(file, await readFile(file, "utf8"));
  if (value === undefined || findings.length > 0) throw new HoldstillError("E_CONFIG_INVALID", { findings });
  const checked = validate("lock", value, { file, lineOf });
  if (!checked.ok) throw new HoldstillError("E_CONFIG_INVALID", { findings: checked.findings });
  return checked.value;
}

/** What tools write beside the code, and nobody loads. */
const ignored = [path.join("node_modules", ".cache"), path.join("dist", ".tsbuildinfo")];

/** SHA-256 over every file's and link's relative path, mode and content, in the order of the paths. */
export async function hashFolder(dir: string): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of await entriesOf(dir)) {
    const name = path.relative(dir, entry.file);
    if (entry.stats.isDirectory() || ignored.some((part) => name === part || name.startsWith(part + path.sep)))
      continue;
    const content = await contentOf(entry);
    // With the length in front, no content can pass for the head of the next file.
    hash.update(`${name}\0${entry.stats.mode.toString(8)}\0${content.length}\0`).update(content);
  }
  return `sha256-${hash.digest("hex")}`;
}

async function contentOf({ file, stats }: Entry): Promise<Buffer> {
  if (stats.isSymbolicLink()) return readlink(file, { encoding: "buffer" });
  return stats.isFile() ? readFile(file) : Buffer.alloc(0);
}
