import path from "node:path";
import type { Session } from "./session.js";

/** A plugin of the server, and the option by which another server loads it. */
export interface ServerPlugin {
  readonly name: string;
  /** File in plugin_dir. */
  readonly library: string;
  readonly load: "plugin-load-add" | "early-plugin-load";
}

export interface ServerPlugins {
  readonly loaded: readonly ServerPlugin[];
  /** Settings with which they find and read their files. */
  readonly settings: Readonly<Record<string, string>>;
  /** Folders that they keep data in; relative ones are below the data directory. */
  readonly folders: readonly string[];
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly library: string;
}

/** Types without which a server cannot open, or not replay, a file that was written with them. */
const neededTypes = ["STORAGE ENGINE", "ENCRYPTION", "KEYRING", "FTPARSER", "DATA TYPE", "FUNCTION"];

/** Engines whose rows are elsewhere: a server on a snapshot must not reach there. */
const remoteEngines = ["spider", "federated", "federatedx", "connect", "s3", "sphinx", "ndbcluster", "ndbinfo"];

/**
 * The active plugins that come from a library. Those of the table mysql.plugin are not loaded on the snapshot otherwise: without
 * grants, a server does not read it (sql/sql_plugin.cc, PLUGIN_INIT_SKIP_PLUGIN_TABLE).
 */
export async function readPlugins(
  session: Session,
  variables: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ServerPlugins> {
  const active = await session.query<Row>(
    signal,
    `SELECT PLUGIN_NAME AS name, PLUGIN_TYPE AS type, PLUGIN_LIBRARY AS library FROM information_schema.PLUGINS
      WHERE PLUGIN_STATUS = 'ACTIVE' AND PLUGIN_LIBRARY IS NOT NULL`,
  );
  const needed = active.filter(
    ({ name, type }) =>
      // MariaDB's compression libraries, whose type is that of any daemon.
      name.startsWith("provider_") || (neededTypes.includes(type) && !remoteEngines.includes(name.toLowerCase())),
  );
  const settings: Record<string, string> = {};
  const folders: string[] = [];
  for (const { name, type } of needed) {
    for (const [variable, value] of ownVariables(name, variables)) {
      if (isForm(variable, type, value)) settings[variable] = value;
      // A prefix is the beginning of files' names.
      if (isFolder(variable, type)) folders.push(variable.endsWith("prefix") ? path.dirname(`${value}x`) : value);
    }
  }
  const loaded = needed.map(({ name, type, library }): ServerPlugin => {
    return { name, library, load: type === "KEYRING" ? "early-plugin-load" : "plugin-load-add" };
  });
  return { loaded, settings, folders };
}

function ownVariables(plugin: string, variables: ReadonlyMap<string, string>): [string, string][] {
  const prefix = `${plugin.toLowerCase()}_`;
  return [...variables].filter(([name, value]) => name.startsWith(prefix) && value !== "");
}

const isFolder = (variable: string, type: string): boolean =>
  type === "STORAGE ENGINE" && /_(datadir|data_dir|data_home_dir|wal_dir|log_dir|path_prefix)$/.test(variable);

/** A key in place of the file that has it stays out of the record. */
function isForm(variable: string, type: string, value: string): boolean {
  if (/key$|token|secret|password/.test(variable) && !/^FILE:/i.test(value)) return false;
  const isOfKeys = type === "ENCRYPTION" || type === "KEYRING";
  return isOfKeys || isFolder(variable, type) || variable.endsWith("_cf_options");
}
