import path from "node:path";
import type { Component } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { type Cluster } from "./cluster.js";
import { limitFor, minutes } from "./checkpoint-time.js";
import type { Facts } from "./facts.js";
import type { Options } from "./options.js";

/**
 * Folders whose content a copy leaves out (manual, "Making a Base Backup Using the Low Level API": "Backing up the data
 * directory"). The WAL of a copy comes from the sidecar.
 */
const leaveOutContent = [
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
  "base/pgsql_tmp",
];

/** Files that a copy leaves out: the same section, and `excludeFiles` in src/backend/backup/basebackup.c. */
const leaveOut = [
  "postmaster.pid",
  "postmaster.opts",
  "current_logfiles",
  "current_logfiles.tmp",
  "postgresql.auto.conf.tmp",
  "backup_label",
  "tablespace_map",
  "backup_manifest",
];

/**
 * The cluster as one component: its data directory, its WAL and its tablespaces are usable only together.
 *
 * @param unlogged Its tables whose rows no snapshot has.
 */
export function component(cluster: Cluster, options: Options, unlogged: readonly string[] = []): Component {
  const { dataDir, walDir, tablespaces } = cluster;
  const folders = [dataDir, walDir, ...tablespaces.map(({ folder }) => folder)];
  const paths = folders.filter((folder, index) =>
    folders.every((other, at) => at === index || !isWithin(folder, other) || (folder === other && index < at)),
  );
  return {
    name: "cluster",
    kind: "database",
    paths,
    exclude: exclusions(cluster),
    // Backup mode needs WAL that is enough for an archive (manual, "Making a Base Backup Using the Low Level API").
    tolerates: cluster.settings["wal_level"] === "minimal" ? "point-in-time" : "fuzzy",
    level: "back-end",
    repair: options.repair,
    method: methodOf(cluster, options),
    facts: { ...facts(cluster, options, unlogged) },
  };
}

/** A longer wait than this, s, is shown: the limit of prepare is 10 min by default. */
const longCheckpointSeconds = 8 * 60;

/** What is done for each cut; and how long backup mode is waited for, where a usual limit may be too short. */
function methodOf({ checkpointSeconds }: Cluster, { checkpoint }: Options): NonNullable<Component["method"]> {
  const isLong = checkpoint !== "fast" && checkpointSeconds > longCheckpointSeconds;
  const wait = `a checkpoint of up to ${minutes(checkpointSeconds)}, limits.prepare: ${limitFor(checkpointSeconds)}`;
  const backupMode = isLong ? `backup mode after ${wait}` : "backup mode";
  const copying = `no lock, ${backupMode}`;
  return { atomic: "no lock", "per-volume": copying, fuzzy: copying };
}

function facts(cluster: Cluster, { host, port }: Options, unloggedTables: readonly string[]): Facts {
  const { version, systemIdentifier, timeline, role, dataDir, walDir, walSegmentBytes, tablespaces } = cluster;
  const { configFiles, archiver, settings, programs } = cluster;
  return {
    version,
    systemIdentifier,
    timeline,
    role,
    host,
    port,
    dataDir,
    walDir,
    walSegmentBytes,
    tablespaces,
    configFilesElsewhere: configFiles,
    unloggedTables,
    archiver,
    settings,
    programs,
  };
}

function exclusions({ dataDir, walDir, tablespaces, versionDir }: Cluster): string[] {
  const ownWal = path.join(dataDir, "pg_wal");
  return [
    ...leaveOutContent.map((folder) => path.join(dataDir, folder, "*")),
    ...leaveOut.map((file) => path.join(dataDir, file)),
    // A copied link would lead a restored server to the WAL of the one that runs.
    ...(walDir === ownWal ? [] : [ownWal]),
    path.join(walDir, "*"),
    ...tablespaces.map(({ folder }) => path.join(folder, versionDir, "pgsql_tmp", "*")),
  ];
}
