import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { parseText } from "../../base/config/document.js";
import { HoldstillError } from "../../base/errors/error.js";
import type { LockedPlugin, PluginLock } from "../../base/schema/types.js";
import { validate } from "../../base/schema/validate.js";
import { digestDifferences, digestFolder } from "./digest.js";
import type { ResolvedPlugin } from "./resolution.js";

/** The lock of these plugins, each once. */
export async function lockOf(plugins: readonly ResolvedPlugin[]): Promise<PluginLock> {
  const folders = new Map(plugins.map(({ dir, manifest }) => [dir, manifest]));
  const locked = [...folders].map(async ([dir, { name, version }]) => ({
    name,
    version,
    ...(await digestFolder(dir)),
  }));
  const byName = (await Promise.all(locked)).toSorted((a, b) =>
    `${a.name}@${a.version}`.localeCompare(`${b.name}@${b.version}`, "en"),
  );
  return { lockVersion: 1, plugins: byName };
}

/** Writes a lock file in one step. */
export async function writeLock(file: string, lock: PluginLock): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(lock, null, 2)}\n`, { mode: 0o644, flush: true });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** How the plugins differ from the lock file. Without a lock file, nothing is pinned. */
export async function lockProblems(file: string | null, plugins: readonly ResolvedPlugin[]): Promise<HoldstillError[]> {
  if (file === null) return [];
  try {
    const [pinned, actual] = [await readLock(file), await lockOf(plugins)];
    return actual.plugins.flatMap((seen) => mismatch(lockEntryOf(pinned, seen), seen));
  } catch (error) {
    if (error instanceof HoldstillError) return [error];
    return [new HoldstillError("E_CONFIG_UNREADABLE", { file, reason: (error as Error).message }, { cause: error })];
  }
}

/** The pin of this version of the plugin. */
export function lockEntryOf(
  lock: PluginLock,
  { name, version }: Pick<LockedPlugin, "name" | "version">,
): LockedPlugin | undefined {
  return lock.plugins.find((one) => one.name === name && one.version === version);
}

function mismatch(pin: LockedPlugin | undefined, seen: LockedPlugin): HoldstillError[] {
  if (pin?.content === seen.content) return [];
  const { name, version } = seen;
  const changes = pin === undefined ? [] : digestDifferences(pin, seen);
  const expected = pin?.content ?? null;
  return [new HoldstillError("E_PLUGIN_LOCKED", { name, version, expected, seen: seen.content, changes })];
}

/** @throws HoldstillError E_CONFIG_INVALID, because the lock file is a part of the config. */
export async function readLock(file: string): Promise<PluginLock> {
  const { value, findings, lineOf } = parseText(file, await readFile(file, "utf8"));
  if (value === undefined || findings.length > 0) throw new HoldstillError("E_CONFIG_INVALID", { findings });
  const checked = validate("lock", value, { file, lineOf });
  if (!checked.ok) throw new HoldstillError("E_CONFIG_INVALID", { findings: checked.findings });
  return checked.value;
}
