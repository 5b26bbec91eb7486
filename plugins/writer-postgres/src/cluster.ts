import { readFile, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import { isWithin } from "#kit/paths.js";
import type { Archiver, Tablespace } from "./facts.js";
import { PluginError } from "./errors.js";
import type { Session } from "./session.js";

/** What a running server reports about its cluster. */
export interface Cluster {
  /** As in `17.10`. */
  readonly version: string;
  readonly major: number;
  /** Made by initdb; the same in every copy. */
  readonly systemIdentifier: string;
  /** Of the last checkpoint: 1, and one more with each promotion. */
  readonly timeline: number;
  readonly role: "primary" | "standby";
  readonly dataDir: string;
  /** The real place of pg_wal: below dataDir, or where its symbolic link leads. */
  readonly walDir: string;
  readonly walSegmentBytes: number;
  readonly tablespaces: readonly Tablespace[];
  /** Each tablespace's folder of this version (manual, "Database File Layout"). */
  readonly versionDir: string;
  /** Files that the server reads and that may be elsewhere. */
  readonly configFiles: readonly string[];
  /** Settings that a snapshot of one instant relies on. */
  readonly durable: boolean;
  readonly archiver: Archiver;
  readonly settings: Readonly<Record<string, string>>;
  readonly programs: string | undefined;
}

interface Row {
  version: string;
  version_num: number;
  system_identifier: string;
  catalog_version: number;
  timeline: number;
  standby: boolean;
  data_directory: string;
  segment_bytes: number;
  config_files: string[];
  durable: boolean;
  archiver: Archiver;
  settings: Record<string, string>;
}

/**
 * Settings with which redo can go on where the server was: too small a value of one, and it ends with an error (manual, "Hot
 * Standby", "Administrator's Overview"; slots and prepared transactions are restored whatever the mode).
 */
const redoDependsOn = [
  "max_active_replication_origins",
  "max_connections",
  "max_locks_per_transaction",
  "max_prepared_transactions",
  "max_replication_slots",
  "max_wal_senders",
  "max_worker_processes",
  "wal_level",
];

/** Reads it from the server; no side effects. */
export async function readCluster(session: Session, signal: AbortSignal): Promise<Cluster> {
  const row = await session.one<Row>(
    signal,
    `SELECT current_setting('server_version') AS version,
            current_setting('server_version_num')::int AS version_num,
            s.system_identifier::text AS system_identifier,
            s.catalog_version_no AS catalog_version,
            c.timeline_id AS timeline,
            pg_is_in_recovery() AS standby,
            current_setting('data_directory') AS data_directory,
            i.bytes_per_wal_segment AS segment_bytes,
            ARRAY[current_setting('config_file'), current_setting('hba_file'), current_setting('ident_file')] AS config_files,
            current_setting('fsync')::bool AND current_setting('full_page_writes')::bool AS durable,
            (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name = ANY ($1)) AS settings,
            json_build_object('mode', current_setting('archive_mode'), 'lastArchived', a.last_archived_wal,
              'lastFailed', a.last_failed_wal,
              'failing', coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false)) AS archiver
       FROM pg_control_system() AS s, pg_control_checkpoint() AS c, pg_control_init() AS i, pg_stat_archiver AS a`,
    [redoDependsOn],
  );
  const major = Math.floor(row.version_num / 10_000);
  if (major < 13) {
    const hint = "Use a version that is still supported.";
    throw new PluginError("PG_VERSION", `PostgreSQL ${row.version} is older than 13`, hint);
  }
  const all = await session.query<{ oid: number; name: string; location: string }>(
    signal,
    `SELECT oid, spcname AS name, pg_tablespace_location(oid) AS location FROM pg_tablespace
      WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY oid`,
  );
  const dataDir = await real(row.data_directory);
  // One inside the data directory (allow_in_place_tablespaces) has a relative location.
  const elsewhere = all.filter(({ location }) => path.isAbsolute(location));
  const tablespaces = await Promise.all(
    elsewhere.map(async (tablespace) => ({ ...tablespace, folder: await real(tablespace.location) })),
  );
  return {
    version: row.version.split(" ")[0] ?? row.version,
    major,
    systemIdentifier: row.system_identifier,
    timeline: row.timeline,
    role: row.standby ? "standby" : "primary",
    dataDir,
    walDir: await real(path.join(dataDir, "pg_wal")),
    walSegmentBytes: row.segment_bytes,
    tablespaces,
    versionDir: `PG_${major}_${row.catalog_version}`,
    configFiles: row.config_files.filter((file) => file !== "" && !isWithin(file, row.data_directory)),
    durable: row.durable,
    archiver: row.archiver,
    settings: row.settings,
    programs: await programsOf(dataDir),
  };
}

/** The folder of the program of the server's first process; undefined if it may not be read. */
async function programsOf(dataDir: string): Promise<string | undefined> {
  try {
    const [pid = ""] = (await readFile(path.join(dataDir, "postmaster.pid"), "utf8")).split("\n");
    return path.dirname(await readlink(`/proc/${Number(pid)}/exe`));
  } catch {
    return undefined;
  }
}

async function real(dir: string): Promise<string> {
  try {
    return await realpath(dir);
  } catch (error) {
    // Without the right to read it, the path is what the server reports.
    if (error instanceof Error && "code" in error && error.code === "EACCES") return dir;
    const hint = "Run holdstill on the server's machine, outside of the server's container.";
    throw new PluginError("PG_NOT_LOCAL", `the server's folder ${dir} is not on this machine`, hint, {
      cause: error,
    });
  }
}
