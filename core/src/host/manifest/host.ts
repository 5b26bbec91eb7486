import path from "node:path";
import { installation, ownVersion, protocols } from "../../installation.js";

/** What a plugin is weighed against. */
export interface Host {
  /** Semantic version of holdstill. */
  version: string;
  /** Contract versions that the host speaks. */
  protocols: readonly number[];
  /** The folder of the plugins that come with holdstill. */
  bundled: string | null;
  /** Folders in which `requires.commands` are looked for. */
  path: readonly string[];
}

export function thisHost(env: NodeJS.ProcessEnv = process.env): Host {
  return { version: ownVersion(), protocols, bundled: installation.bundledPlugins, path: commandPath(env) };
}

/** Many storage tools lie where only root's login shell looks. */
function commandPath({ PATH = "/usr/bin:/bin" }: NodeJS.ProcessEnv): string[] {
  return [...new Set([...PATH.split(":").filter((dir) => path.isAbsolute(dir)), "/usr/sbin", "/sbin"])];
}
