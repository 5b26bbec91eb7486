import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { baseEnvironment } from "../../os/environment.js";
import { installation, ownVersion, packagedPlugins, protocols } from "../../installation.js";

/** The host that a plugin must fit. */
export interface Host {
  /** Semantic version of holdstill. */
  version: string;
  /** Contract versions that the host supports. */
  protocols: readonly number[];
  /** The folder of the plugins that come with holdstill. */
  bundled: string | null;
  /** The folder of the plugins that other packages install. It is searched before the bundled one. null: it does not exist. */
  packaged: string | null;
  /** Folders that are searched for the programs in `requires.commands`. */
  path: readonly string[];
}

export function thisHost(env: NodeJS.ProcessEnv = process.env): Host {
  const packaged = existsSync(packagedPlugins) ? packagedPlugins : null;
  return { version: ownVersion(), protocols, bundled: installation.bundledPlugins, packaged, path: commandPath(env) };
}

/** Whether the plugin comes with holdstill. @param dir Real path of its folder. */
export function isBundled(dir: string, { bundled }: Host): boolean {
  return bundled !== null && existsSync(bundled) && path.dirname(dir) === realpathSync(bundled);
}

/** All folders with plugins, in the order of the search. */
export function pluginFolders(configured: readonly string[], { packaged, bundled }: Host): string[] {
  return [...new Set([...configured, ...[packaged, bundled].filter((folder) => folder !== null)])];
}

/** As `ctx.exec` has it. */
const commandPath = (env: NodeJS.ProcessEnv): string[] => (baseEnvironment(env)["PATH"] ?? "").split(":");
