import { realpath } from "node:fs/promises";
import path from "node:path";
import { isWithin } from "#kit/paths.js";
import { PluginError } from "./errors.js";
import { refuseForeign } from "./own-folders.js";
import { readPlugins, type ServerPlugin } from "./server-plugins.js";
import type { Session } from "./session.js";
import { provenServer, type ProcessUser } from "./server-process.js";
import { surveyTables } from "./tables.js";

/** What a running server reports about itself. */
export interface Server {
  readonly product: "MariaDB" | "MySQL";
  /** As in `10.11.19`. */
  readonly version: string;
  /** Made when the server was first started; MariaDB 10.11 and later 10.x, and MySQL, have one. */
  readonly uuid?: string;
  readonly dataDir: string;
  /** Every folder that belongs to the data, dataDir first. */
  readonly folders: readonly string[];
  readonly tmpDir: string;
  /** Engines without a redo log, of tables outside of the server's own schemas: a snapshot of one instant may find them half written. */
  readonly unlogged: readonly string[];
  /** SCHEMA/TABLE in the engine MEMORY: no snapshot has their rows, and a server that starts has them empty. */
  readonly memoryTables: readonly string[];
  /** SCHEMA/TABLE (ENGINE), of engines whose files this writer does not know. */
  readonly unknownTables: readonly string[];
  /** What a server on the snapshot loads in addition, to read the files of the captured one. */
  readonly plugins: readonly ServerPlugin[];
  readonly role: "primary" | "replica";
  readonly binlog: "on" | "off";
  /** Whether what was acknowledged is on disk, or only with the operating system. */
  readonly durable: boolean;
  /** Whom it runs as: nothing on a snapshot of it runs with more rights. */
  readonly user: ProcessUser;
  /** The server's program; not there where it is out of sight, as in a container. */
  readonly binary?: string;
  /** The settings of a server on the snapshot, as `innodb_page_size: "16384"`. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Settings for the places and formats of files: without them a server finds no file, or not the one that it wrote. A server does not
 * show settings that it does not have.
 */
const formSettings = [
  "aria_encrypt_tables",
  "aria_log_dir_path",
  "basedir",
  "binlog_checksum",
  "binlog_encryption",
  "character_set_server",
  "collation_server",
  "encrypt_binlog",
  "gtid_domain_id",
  "gtid_mode",
  "enforce_gtid_consistency",
  "innodb_checksum_algorithm",
  "innodb_data_file_path",
  "innodb_data_home_dir",
  "innodb_default_encryption_key_id",
  "innodb_directories",
  "innodb_doublewrite_dir",
  "innodb_encrypt_log",
  "innodb_encrypt_tables",
  "innodb_log_file_size",
  "innodb_log_files_in_group",
  "innodb_log_group_home_dir",
  "innodb_page_size",
  "innodb_redo_log_capacity",
  "innodb_undo_directory",
  "innodb_undo_tablespaces",
  "lc_messages_dir",
  "lower_case_table_names",
  "plugin_dir",
  "plugin_maturity",
  "server_id",
];

const folderSettings = [
  "aria_log_dir_path",
  "innodb_data_home_dir",
  "innodb_doublewrite_dir",
  "innodb_log_group_home_dir",
  "innodb_undo_directory",
  "wsrep_data_home_dir",
];

/** Settings that name a file, whose folder is meant. */
const fileSettings = ["log_bin_basename", "log_bin_index", "relay_log_basename", "relay_log_index"];

/** Reads it from the server and its folders; no side effects. */
export async function readServer(session: Session, signal: AbortSignal): Promise<Server> {
  const variables = await readVariables(session, signal);
  const at = (name: string): string => variables.get(name) ?? "";
  const product = /mariadb/i.test(at("version")) ? "MariaDB" : "MySQL";
  const version = at("version").split("-")[0] ?? "";
  supported(product, version);

  const configured = path.resolve(at("datadir"));
  const dataDir = await real(configured);
  const { user, binary } = provenServer(dataDir, session.endpoint);
  const { unlogged, memory, unknown, linked } = await surveyTables(dataDir);
  const plugins = await readPlugins(session, variables, signal);
  const named = [
    ...folderSettings.map(at),
    ...plugins.folders,
    ...fileSettings.map((name) => at(name) && path.dirname(path.resolve(configured, at(name)))),
    ...at("innodb_data_file_path")
      .split(";")
      .filter((file) => file.startsWith("/"))
      .map((file) => path.dirname(file)),
    ...(await tablespaceFolders(session, product, signal)),
    ...linked,
  ];
  const folders = [dataDir];
  for (const folder of named.filter((name) => name !== "")) {
    const place = await real(path.resolve(configured, folder));
    if (!folders.some((known) => isWithin(place, known))) folders.push(place);
  }
  await refuseForeign(folders, user);
  const binlog = at("log_bin") === "ON" ? "on" : "off";
  // A server writes such a name into the index of its binary log: below the data directory it must stay good in another place.
  const own = (file: string): string => (isWithin(file, configured) ? path.relative(configured, file) : file);
  const uuid = at("server_uuid") || at("server_uid");
  return {
    product,
    version,
    ...(uuid !== "" && { uuid }),
    dataDir,
    folders: outermost(folders),
    tmpDir: at("tmpdir"),
    unlogged,
    memoryTables: memory,
    unknownTables: unknown,
    plugins: plugins.loaded,
    role:
      at("relay_log_basename") !== "" && (await isReplica(session, product, version, signal)) ? "replica" : "primary",
    binlog,
    durable: at("innodb_flush_log_at_trx_commit") === "1" && (binlog === "off" || at("sync_binlog") === "1"),
    user,
    ...(binary !== undefined && { binary }),
    settings: {
      ...Object.fromEntries(formSettings.filter((name) => at(name) !== "").map((name) => [name, at(name)])),
      ...plugins.settings,
      // By its real name, which is where the snapshot is put in its place.
      datadir: dataDir,
      ...(binlog === "on" && { log_bin: own(at("log_bin_basename")), log_bin_index: own(at("log_bin_index")) }),
      ...(at("relay_log_basename") !== "" && { relay_log: own(at("relay_log_basename")) }),
    },
  };
}

async function readVariables(session: Session, signal: AbortSignal): Promise<Map<string, string>> {
  const rows = await session.query<{ Variable_name: string; Value: string }>(signal, "SHOW GLOBAL VARIABLES");
  return new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Value]));
}

function supported(product: Server["product"], version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [from, good] =
    product === "MariaDB" ? ["10.6", major > 10 || (major === 10 && minor >= 6)] : ["8.0", major >= 8];
  if (good) return;
  const hint = "Use a version that is still supported.";
  throw new PluginError("MYSQL_VERSION", `${product} ${version} is older than ${from}`, hint);
}

/** Folders of tables that were made with DATA DIRECTORY or in a general tablespace elsewhere; needs the right PROCESS. */
async function tablespaceFolders(session: Session, product: Server["product"], signal: AbortSignal): Promise<string[]> {
  const sql =
    product === "MariaDB"
      ? "SELECT filename AS file FROM information_schema.INNODB_SYS_TABLESPACES"
      : "SELECT path AS file FROM information_schema.INNODB_DATAFILES";
  const rows = await session.query<{ file: string | null }>(signal, sql);
  return rows.flatMap(({ file }) => (file !== null && path.isAbsolute(file) ? [path.dirname(file)] : []));
}

async function isReplica(
  session: Session,
  product: Server["product"],
  version: string,
  signal: AbortSignal,
): Promise<boolean> {
  const words = product === "MySQL" && !version.startsWith("8.0") ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
  try {
    return (await session.query(signal, words)).length > 0;
  } catch (error) {
    // It is only a fact for a person: no reason to demand one more right.
    if (error instanceof PluginError && error.code === "MYSQL_PRIVILEGE") return false;
    throw error;
  }
}

/** Without those within another. */
function outermost(folders: readonly string[]): string[] {
  return folders.filter((folder) => folders.every((other) => other === folder || !isWithin(folder, other)));
}

async function real(dir: string): Promise<string> {
  try {
    return await realpath(dir);
  } catch (error) {
    const hint = "Run holdstill on the server's machine, outside of the server's container.";
    throw new PluginError("MYSQL_NOT_LOCAL", `the server's folder ${dir} is not on this machine`, hint, {
      cause: error,
    });
  }
}
