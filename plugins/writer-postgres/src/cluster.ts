import { realpath } from "node:fs/promises";
import path from "node:path";
import { isWithin } from "#kit/paths.js";
import { codeOf } from "#kit/plugin-error.js";
import type { Archiver, Tablespace } from "./facts.js";
import { PluginError } from "./errors.js";
import { proveFolders } from "./identity.js";
import { refuseLinkedFolders } from "./layout.js";
import { serverOn } from "./server-process.js";
import type { Session } from "./session.js";
import { capturedSettings } from "./settings.js";

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
  /** The server's user; undefined if this process may not read the data directory. */
  readonly uid: number | undefined;
  readonly walSegmentBytes: number;
  readonly tablespaces: readonly Tablespace[];
  /** Each tablespace's folder of this version (manual, "Database File Layout"). */
  readonly versionDir: string;
  /** Files that the server reads and that may be elsewhere. */
  readonly configFiles: readonly string[];
  /** How long a spread checkpoint takes at most, by the server's settings. */
  readonly checkpointSeconds: number;
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
  checkpoint_seconds: number;
  durable: boolean;
  archiver: Archiver;
  settings: Record<string, string>;
}

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
            EXTRACT(epoch FROM current_setting('checkpoint_timeout')::interval * current_setting('checkpoint_completion_target')::float8)::float8
              AS checkpoint_seconds,
            current_setting('fsync')::bool AND current_setting('full_page_writes')::bool AS durable,
            (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name = ANY ($1)) AS settings,
            json_build_object('mode', current_setting('archive_mode'), 'lastArchived', a.last_archived_wal,
              'lastFailed', a.last_failed_wal,
              'failing', coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false)) AS archiver
       FROM pg_control_system() AS s, pg_control_checkpoint() AS c, pg_control_init() AS i, pg_stat_archiver AS a`,
    [capturedSettings],
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
  const dataDir = await real(row.data_directory, (cause) => notHere(row.data_directory, cause));
  // One inside the data directory (allow_in_place_tablespaces) has a relative location.
  const elsewhere = all.filter(({ location }) => path.isAbsolute(location));
  const tablespaces = await Promise.all(
    elsewhere.map(async (tablespace) => ({
      ...tablespace,
      folder: await real(tablespace.location, (cause) => tablespaceGone(tablespace, cause)),
    })),
  );
  const wal = path.join(dataDir, "pg_wal");
  const walDir = await real(wal, (cause) => notHere(wal, cause));
  const places = [dataDir, walDir, ...tablespaces.map(({ folder }) => folder)];
  const proof = proveFolders(row.system_identifier, places);
  if (proof.state === "proven") refuseLinkedFolders(dataDir);
  return {
    version: row.version.split(" ")[0] ?? row.version,
    major,
    systemIdentifier: row.system_identifier,
    timeline: row.timeline,
    role: row.standby ? "standby" : "primary",
    dataDir,
    walDir,
    uid: proof.state === "proven" ? proof.uid : undefined,
    walSegmentBytes: row.segment_bytes,
    tablespaces,
    versionDir: `PG_${major}_${row.catalog_version}`,
    configFiles: row.config_files.filter((file) => file !== "" && !isWithin(file, row.data_directory)),
    checkpointSeconds: row.checkpoint_seconds,
    durable: row.durable,
    archiver: row.archiver,
    settings: row.settings,
    programs: programsOf(dataDir),
  };
}

/** Undefined if the server's process cannot be seen, for example from inside of a container. */
function programsOf(dataDir: string): string | undefined {
  try {
    return serverOn(dataDir)?.programs;
  } catch {
    return undefined;
  }
}

/** The real path of a folder. @param missing What is to be said if there is none. */
async function real(dir: string, missing: (cause: unknown) => PluginError): Promise<string> {
  try {
    return await realpath(dir);
  } catch (error) {
    // Without the right to read it, the path is what the server reports.
    if (codeOf(error) === "EACCES") return dir;
    throw missing(error);
  }
}

function notHere(dir: string, cause: unknown): PluginError {
  const hint = "Run holdstill on the server's machine, outside of the server's container.";
  return new PluginError("PG_NOT_LOCAL", `the server's folder ${dir} is not on this machine`, hint, { cause });
}

function tablespaceGone({ name, location }: { name: string; location: string }, cause: unknown): PluginError {
  const hint = `Mount or restore ${location}. If nothing in it is needed: DROP TABLESPACE.`;
  return new PluginError("PG_TABLESPACE", `the folder ${location} of tablespace ${name} does not exist`, hint, {
    cause,
  });
}
