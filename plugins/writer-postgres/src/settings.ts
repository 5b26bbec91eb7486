import type { Facts } from "./facts.js";

/**
 * Settings of a server on a snapshot, as arguments: those of the captured server without which redo ends or data are dropped, and for
 * the rest ours. The snapshot's configuration is not read, because it names where the captured server archives, listens, and logs.
 *
 * @param buffersMb shared_buffers, MiB.
 */
export function settings(
  { settings: captured, walSegmentBytes, version }: Facts,
  buffersMb: number,
  own: Readonly<Record<string, string>>,
): string[] {
  const all = {
    ...captured,
    ...always,
    ...since(Number.parseInt(version, 10)),
    ...walSizes(walSegmentBytes ?? usualWalSegmentBytes),
    shared_buffers: `${buffersMb}MB`,
    ...own,
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/**
 * What the captured server's value is passed on of. Too small a value of most, and redo ends with an error (manual, "Hot Standby",
 * "Administrator's Overview"; slots and prepared transactions are restored whatever the mode). A start without
 * track_commit_timestamp removes the timestamps (src/backend/access/transam/commit_ts.c, DeactivateCommitTs).
 */
export const capturedSettings = [
  "max_active_replication_origins",
  "max_connections",
  "max_locks_per_transaction",
  "max_prepared_transactions",
  "max_replication_slots",
  "max_wal_senders",
  "max_worker_processes",
  "track_commit_timestamp",
  "wal_level",
  "wal_log_hints",
];

export const usualWalSegmentBytes = 16 * 1024 * 1024;

/** A server refuses less than two segments (src/backend/access/transam/xlog.c, ReadControlFile). */
function walSizes(segmentBytes: number): Record<string, string> {
  const megabytes = segmentBytes / 1024 / 1024;
  return { min_wal_size: `${2 * megabytes}MB`, max_wal_size: `${Math.max(1024, 4 * megabytes)}MB` };
}

function since(major: number): Record<string, string> {
  return {
    // The statistics' files; later versions keep them in memory. The folder may be a link to one of the captured server.
    ...(major <= 14 && { stats_temp_directory: "pg_stat" }),
    // Recovery ends where a tablespace is a folder in pg_tblspc (src/backend/access/transam/xlogrecovery.c, CheckTablespaceDirectory).
    ...(major >= 15 && { allow_in_place_tablespaces: "on" }),
    // A trigger at login may refuse everyone.
    ...(major >= 17 && { event_triggers: "off" }),
    ...(major >= 18 && { io_method: "sync" }),
  };
}

const always = {
  config_file: "/dev/null",
  ident_file: "/dev/null",
  external_pid_file: "",
  archive_mode: "off",
  autovacuum: "off",
  listen_addresses: "",
  ssl: "off",
  // A commit would wait for the standbys of the captured server, and subscriptions would take what is meant for it.
  synchronous_standby_names: "",
  max_logical_replication_workers: "0",
  shared_preload_libraries: "",
  session_preload_libraries: "",
  local_preload_libraries: "",
  logging_collector: "off",
  log_destination: "stderr",
  log_min_messages: "warning",
  lc_messages: "C",
  // In the snapshot: a killed server would otherwise leave a file in /dev/shm.
  dynamic_shared_memory_type: "mmap",
  // The captured server may use all of them.
  huge_pages: "off",
  // Whatever backs up the snapshot would copy what is only kept to be used again.
  wal_recycle: "off",
};
