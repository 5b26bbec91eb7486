import { rename, rm, writeFile } from "node:fs/promises";
import { readRegularText } from "../../base/config/regular-file.js";
import { parseText } from "../../base/config/document.js";
import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import type { LockedPlugin, PluginLock } from "../../base/schema/types.js";
import { validate } from "../../base/schema/validate.js";
import { digestDifferences, digestFolder } from "./digest.js";
import type { ResolvedPlugin } from "./resolution.js";

/** The lock of these plugins, each once, without those that come with holdstill: they change with it, as the code that reads the lock. */
export async function lockOf(plugins: readonly ResolvedPlugin[]): Promise<PluginLock> {
  const installed = plugins.filter(({ origin }) => origin === "installed");
  const folders = new Map(installed.map(({ dir, manifest }) => [dir, manifest]));
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
    await writeFile(draft, `${JSON.stringify(lock, null, 2)}\n`, { mode: 0o644, flush: true, flag: "wx" });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** What the lock file pins. Without a lock file, nothing is pinned. */
export interface Pins {
  readonly lock: PluginLock | null;
  /** Why the lock file cannot be used. */
  readonly problems: readonly HoldstillError[];
}

export function readPins(file: string | null): Pins {
  if (file === null) return { lock: null, problems: [] };
  try {
    return { lock: readLock(file), problems: [] };
  } catch (error) {
    return { lock: null, problems: [asProblem(file, error)] };
  }
}

/** How the plugins differ from what is pinned. */
export async function pinProblems(
  file: string | null,
  { lock, problems }: Pins,
  plugins: readonly ResolvedPlugin[],
): Promise<HoldstillError[]> {
  if (file === null || lock === null) return [...problems];
  try {
    const actual = await lockOf(plugins);
    return actual.plugins.flatMap((seen) => mismatch(lockEntryOf(lock, seen), seen));
  } catch (error) {
    return [asProblem(file, error)];
  }
}

function asProblem(file: string, error: unknown): HoldstillError {
  if (isHoldstillError(error)) return error;
  return new HoldstillError("E_CONFIG_UNREADABLE", { file, reason: (error as Error).message }, { cause: error });
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

/** A line for each file of each plugin. */
const MOST_BYTES = 16 * 1024 * 1024;

/** @throws HoldstillError E_CONFIG_INVALID, because the lock file is a part of the config. */
export function readLock(file: string): PluginLock {
  const { value, findings, lineOf } = parseText(file, readRegularText(file, MOST_BYTES));
  if (value === undefined || findings.length > 0) throw new HoldstillError("E_CONFIG_INVALID", { findings });
  const checked = validate("lock", value, { file, lineOf });
  if (!checked.ok) throw new HoldstillError("E_CONFIG_INVALID", { findings: checked.findings });
  return checked.value;
}
