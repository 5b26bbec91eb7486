import { lockFileBeside, type Settings } from "../../base/config/settings.js";
import type { FileChange } from "../../base/errors/details.js";
import { HoldstillError } from "../../base/errors/error.js";
import { digestDifferences } from "../../host/manifest/digest.js";
import { lockOf, lockEntryOf, readLock, writeLock } from "../../host/manifest/lock.js";
import { resolvePlugins } from "../../host/manifest/resolve.js";
import type { PluginLock } from "../../base/schema/types.js";

/** What the lock file pins, and how that differs from what it pinned before. */
export interface PluginLockChange {
  file: string;
  plugins: { name: string; version: string; content: string; was: "new" | "same" | "other"; changes: FileChange[] }[];
  /** Pinned before, and taken by no instance any more. */
  dropped: { name: string; version: string }[];
}

/**
 * Pins the plugins that the config takes to what they contain now. Throws E_PLUGIN_UNPINNED without a config, and whatever keeps
 * a plugin from being taken: what is refused is not pinned.
 */
export async function lockPlugins(settings: Settings): Promise<PluginLockChange> {
  const { file: config } = settings;
  if (config === null) throw new HoldstillError("E_PLUGIN_UNPINNED", { file: null });
  const { plugins } = await resolvePlugins({ ...settings, lockFile: null });
  // A lock file that cannot be read is mended by writing it anew.
  const before = await (settings.lockFile === null ? nothing : readLock(settings.lockFile).catch(() => nothing));
  const lock = await lockOf(plugins);
  const file = lockFileBeside(config);
  await writeLock(file, lock);
  return pinsOf(file, lock, before);
}

/** Throws what differs from the pins: E_PLUGIN_UNPINNED, E_PLUGIN_LOCKED, or E_PLUGINS_REFUSED with all. */
export async function checkPluginLock(settings: Settings): Promise<PluginLockChange> {
  const { file: config, lockFile } = settings;
  if (lockFile === null) {
    throw new HoldstillError("E_PLUGIN_UNPINNED", { file: config === null ? null : lockFileBeside(config) });
  }
  const { plugins } = await resolvePlugins(settings);
  return pinsOf(lockFile, await lockOf(plugins), await readLock(lockFile));
}

const nothing: PluginLock = { lockVersion: 1, plugins: [] };

function pinsOf(file: string, now: PluginLock, before: PluginLock): PluginLockChange {
  return {
    file,
    plugins: now.plugins.map((plugin) => {
      const { name, version, content } = plugin;
      const old = lockEntryOf(before, plugin);
      if (old === undefined) return { name, version, content, was: "new", changes: [] };
      const was = old.content === content ? "same" : "other";
      return { name, version, content, was, changes: digestDifferences(old, plugin) };
    }),
    dropped: before.plugins
      .filter((plugin) => lockEntryOf(now, plugin) === undefined)
      .map(({ name, version }) => ({ name, version })),
  };
}
