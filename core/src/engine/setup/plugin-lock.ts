import { lockFileBeside, type Settings } from "../../base/config/settings.js";
import { HoldstillError } from "../../base/errors/error.js";
import { digestDifferences } from "../../host/manifest/digest.js";
import { lockOf, lockEntryOf, readLock, writeLock } from "../../host/manifest/lock.js";
import { resolvePlugins } from "../../host/manifest/resolve.js";
import type { PluginLock, PluginPins } from "../../base/schema/types.js";

/**
 * Pins the current content of the plugins that the config uses.
 *
 * @throws HoldstillError E_PLUGIN_UNPINNED without a config, and the error of a plugin that cannot be used: it is not pinned.
 */
export async function lockPlugins(settings: Settings): Promise<PluginPins> {
  const { file: config } = settings;
  if (config === null) throw new HoldstillError("E_PLUGIN_UNPINNED", { file: null });
  const { plugins } = await resolvePlugins({ ...settings, lockFile: null });
  // A lock file that cannot be read is replaced.
  const before = await (settings.lockFile === null ? nothing : readLock(settings.lockFile).catch(() => nothing));
  const lock = await lockOf(plugins);
  const file = lockFileBeside(config);
  await writeLock(file, lock);
  return pinsOf(file, lock, before);
}

/** @throws HoldstillError E_PLUGIN_UNPINNED, E_PLUGIN_LOCKED for a plugin that differs, or E_PLUGINS_REFUSED with all of them. */
export async function checkPluginLock(settings: Settings): Promise<PluginPins> {
  const { file: config, lockFile } = settings;
  if (lockFile === null) {
    throw new HoldstillError("E_PLUGIN_UNPINNED", { file: config === null ? null : lockFileBeside(config) });
  }
  const { plugins } = await resolvePlugins(settings);
  return pinsOf(lockFile, await lockOf(plugins), await readLock(lockFile));
}

const nothing: PluginLock = { lockVersion: 1, plugins: [] };

function pinsOf(file: string, now: PluginLock, before: PluginLock): PluginPins {
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
