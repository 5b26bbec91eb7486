import { baseEnvironment } from "../../os/environment.js";
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

/** As `ctx.exec` has it. */
const commandPath = (env: NodeJS.ProcessEnv): string[] => (baseEnvironment(env)["PATH"] ?? "").split(":");
