import { lockFileBeside, type Settings } from "../../base/config/settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { digestDifferences } from "../../host/manifest/digest.js";
import { lockOf, lockEntryOf, readLock, readPins, writeLock } from "../../host/manifest/lock.js";
import type { ResolvedPlugin } from "../../host/manifest/resolution.js";
import { inspectPlugins, resolvePlugins } from "../../host/manifest/resolve.js";
import type { Candidate, PluginLock, PluginManifest, PluginPins, PluginUpgrade } from "../../base/schema/types.js";

/**
 * Pins the current content of the plugins that the config uses: versions that are pinned already before those that are not.
 *
 * @throws HoldstillError E_PLUGIN_UNPINNED without a config, and the error of a plugin that cannot be used: it is not pinned.
 */
export async function lockPlugins(settings: Settings): Promise<PluginPins> {
  const file = lockFileOf(settings);
  return pin(file, (await resolvePlugins(settings, undefined, "preferred")).plugins);
}

/**
 * Pins the highest versions that the config allows.
 *
 * @throws HoldstillError as lockPlugins: then the pins are as before.
 */
export async function upgradePlugins(settings: Settings): Promise<PluginUpgrade> {
  const upgrade = await planUpgrade(settings);
  await pin(upgrade.file, (await resolvePlugins(settings, undefined, "ignored")).plugins);
  return upgrade;
}

/** What `upgradePlugins` would do. Writes nothing. */
export async function planUpgrade(settings: Settings): Promise<PluginUpgrade> {
  const file = lockFileOf(settings);
  const before = await inspectPlugins(settings, undefined, { which: "those asked for", pins: "preferred" });
  const after = await inspectPlugins(settings, undefined, { which: "those asked for", pins: "ignored" });
  const { lock } = readPins(settings.lockFile);
  const rows = [...after.candidates].flatMap(([instance, candidates]) =>
    upgradeOf(before.candidates.get(instance) ?? [], candidates, after.manifests, lock),
  );
  return {
    file,
    plugins: [...new Map(rows.map((row) => [`${row.name} ${row.from} ${row.to}`, row])).values()],
    problems: after.problems.map((problem) => toFault(problem)),
  };
}

/** Empty if no version can be used. */
function upgradeOf(
  before: readonly Candidate[],
  after: readonly Candidate[],
  manifests: ReadonlyMap<string, PluginManifest>,
  lock: PluginLock | null,
): PluginUpgrade["plugins"] {
  const [taken, to] = [before, after].map((all) => all.find(({ verdict }) => verdict === "taken"));
  if (to === undefined) return [];
  // What the config no longer admits is still what the lock file has.
  const pinned = lock?.plugins.filter(({ name }) => name === to.name) ?? [];
  const last = pinned.some(({ version }) => version === taken?.version) ? undefined : pinned.at(-1)?.version;
  const from = last === undefined ? taken : before.find(({ version }) => version === last);
  const optionsAt = (dir = ""): string[] =>
    Object.keys((manifests.get(dir)?.options?.["properties"] as object | undefined) ?? {});
  const [old, now] = [optionsAt(from?.dir), optionsAt(to.dir)];
  return [
    {
      name: to.name,
      from: from?.version ?? last ?? null,
      to: to.version,
      newOptions: now.filter((name) => !old.includes(name)),
      droppedOptions: old.filter((name) => !now.includes(name)),
    },
  ];
}

async function pin(file: string, plugins: readonly ResolvedPlugin[]): Promise<PluginPins> {
  // A lock file that cannot be read is replaced.
  const { lock: before } = readPins(file);
  const lock = await lockOf(plugins);
  await writeLock(file, lock);
  return pinsOf(file, lock, before ?? nothing);
}

function lockFileOf({ file: config }: Settings): string {
  if (config === null) throw new HoldstillError("E_PLUGIN_UNPINNED", { file: null });
  return lockFileBeside(config);
}

/** @throws HoldstillError E_PLUGIN_UNPINNED, E_PLUGIN_LOCKED for a plugin that differs, or E_PLUGINS_REFUSED with all of them. */
export async function checkPluginLock(settings: Settings): Promise<PluginPins> {
  const { file: config, lockFile } = settings;
  if (lockFile === null) {
    throw new HoldstillError("E_PLUGIN_UNPINNED", { file: config === null ? null : lockFileBeside(config) });
  }
  const { plugins } = await resolvePlugins(settings);
  return pinsOf(lockFile, await lockOf(plugins), readLock(lockFile));
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
