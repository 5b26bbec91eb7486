import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sidecar } from "holdstill/plugin";
import type { BackupEnd } from "./backup.js";
import type { Cluster } from "./cluster.js";
import { PluginError } from "./errors.js";
import type { Session } from "./session.js";
import { historyFile, walRange } from "./wal.js";
import { walSource } from "./wal-source.js";

/** How to start the copy; the README has more. */
const howToRestore =
  "Copy the snapshot, put backup_label, tablespace_map (with the places of the copied tablespaces) and the files of pg_wal from this " +
  "folder into it, give all of it to the server's user, and start PostgreSQL; never without backup_label.";

/** Writes what makes a fuzzy copy whole: backup_label, tablespace_map, and the WAL from start through stop. */
export async function writeSidecar(
  dir: string,
  session: Session,
  cluster: Cluster,
  end: BackupEnd,
  signal: AbortSignal,
  progress: (message: string, done?: number, total?: number) => void,
): Promise<Sidecar> {
  await waitUntilFlushed(session, end.stopLsn, signal);
  const { timeline, segments } = walRange(end.label, end.stopLsn, cluster.walSegmentBytes);
  const source = await walSource(cluster, session);
  // Not recursive: on a full disk, Node 20 would report that the folder does not exist.
  await mkdir(path.join(dir, "pg_wal"), { mode: 0o700 });

  const files: string[] = [];
  for (const [index, segment] of segments.entries()) {
    progress(`WAL ${segment}`, index, segments.length);
    if (!(await source.copy(segment, path.join(dir, "pg_wal", segment), signal))) throw recycled(segment);
    files.push(`pg_wal/${segment}`);
  }
  await refuseNewTablespaces(session, cluster, signal);
  const history = historyFile(timeline);
  if (history !== undefined && (await source.copy(history, path.join(dir, "pg_wal", history), signal))) {
    files.push(`pg_wal/${history}`);
  }
  await writeFile(path.join(dir, "backup_label"), end.label, { flag: "wx", mode: 0o600 });
  files.push("backup_label");
  if (end.tablespaceMap !== "") {
    await writeFile(path.join(dir, "tablespace_map"), end.tablespaceMap, { flag: "wx", mode: 0o600 });
    files.push("tablespace_map");
  }
  return {
    files,
    facts: {
      startLsn: /^START WAL LOCATION: (\S+)/m.exec(end.label)?.[1],
      stopLsn: end.stopLsn,
      timeline,
      walBytes: segments.length * cluster.walSegmentBytes,
      howToRestore,
    },
  };
}

/**
 * WAL about a tablespace that is not in the snapshot must not be replayed: redo would make a link to it, and write into
 * what the captured server uses. The server makes its own link before it writes that WAL, so the check comes after the WAL was copied.
 */
async function refuseNewTablespaces(session: Session, cluster: Cluster, signal: AbortSignal): Promise<void> {
  const known = new Set(cluster.tablespaces.map(({ oid }) => String(oid)));
  const fresh = (await tablespacesNow(session, cluster, signal)).filter((oid) => !known.has(oid));
  if (fresh.length === 0) return;
  const message = `tablespace ${fresh.join(", ")} (OID) was made meanwhile, and is not captured`;
  throw new PluginError("PG_SNAPSHOT", message, "Take the snapshot again.");
}

/** By the links if they may be read, otherwise by the catalogue. One without a link is in the data directory. */
async function tablespacesNow(session: Session, { dataDir }: Cluster, signal: AbortSignal): Promise<string[]> {
  try {
    const entries = await readdir(path.join(dataDir, "pg_tblspc"), { withFileTypes: true });
    return entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
  } catch {
    const sql = "SELECT oid::text AS oid FROM pg_tablespace WHERE pg_tablespace_location(oid) LIKE '/%'";
    return (await session.query<{ oid: string }>(signal, sql)).map(({ oid }) => oid);
  }
}

/** Waits until WAL is written up to the position. A standby's stop position is one that it has replayed, so it is. */
async function waitUntilFlushed(session: Session, lsn: string, signal: AbortSignal): Promise<void> {
  const sql =
    "SELECT CASE WHEN pg_is_in_recovery() THEN true ELSE pg_current_wal_flush_lsn() >= $1::pg_lsn END AS done";
  while (!(await session.one<{ done: boolean }>(signal, sql, [lsn])).done) {
    await sleep(20, undefined, { signal });
  }
}

function recycled(segment: string): PluginError {
  const hint = "Let the role have REPLICATION and the server a free replication slot, or raise wal_keep_size.";
  return new PluginError("PG_WAL_GONE", `the server recycled WAL file ${segment} before it was copied`, hint);
}
