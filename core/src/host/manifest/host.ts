import path from "node:path";
import { installation, ownVersion, protocols } from "../../installation.js";

/** The host that a plugin must fit. */
export interface Host {
  /** Semantic version of holdstill. */
  version: string;
  /** Contract versions that the host supports. */
  protocols: readonly number[];
  /** The folder of the plugins that come with holdstill. */
  bundled: string | null;
  /** Folders that are searched for the programs in `requires.commands`. */
  path: readonly string[];
}

export function thisHost(env: NodeJS.ProcessEnv = process.env): Host {
  return { version: ownVersion(), protocols, bundled: installation.bundledPlugins, path: commandPath(env) };
}

/** Many storage tools are in folders that only root's login shell has on its PATH. */
function commandPath({ PATH = "/usr/bin:/bin" }: NodeJS.ProcessEnv): string[] {
  return [...new Set([...PATH.split(":").filter((dir) => path.isAbsolute(dir)), "/usr/sbin", "/sbin"])];
}
