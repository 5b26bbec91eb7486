import type { Context } from "holdstill/plugin";
import type { Cluster } from "./cluster.js";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import type { Session } from "./session.js";

/** What the server returns at the end of backup mode. */
export interface BackupEnd {
  /** Where the copy becomes consistent: WAL up to here is part of it. */
  readonly stopLsn: string;
  /** Content of backup_label, to be written byte by byte. */
  readonly label: string;
  /** Content of tablespace_map; empty without tablespaces. */
  readonly tablespaceMap: string;
}

/** The part of the call's time that a checkpoint before an atomic cut may take. */
const shareForCheckpoint = 0.8;

/**
 * Begins backup mode (manual, "Making a Base Backup Using the Low Level API"), which lasts as long as the session. It waits for a checkpoint, minutes if it is spread.
 * The functions had other names before version 15 (release notes of 15, "Migration").
 */
export async function startBackup(
  session: Session,
  { major }: Cluster,
  label: string,
  fast: boolean,
  signal: AbortSignal,
): Promise<string> {
  const start =
    major >= 15
      ? "pg_backup_start(label => $1, fast => $2)"
      : "pg_start_backup(label => $1, fast => $2, exclusive => false)";
  const { lsn } = await session.one<{ lsn: string }>(signal, `SELECT ${start}::text AS lsn`, [label, fast]);
  return lsn;
}

/** Ends backup mode. It does not wait for an archive: the sidecar gets the WAL from the server itself. */
export async function stopBackup(session: Session, { major }: Cluster, signal: AbortSignal): Promise<BackupEnd> {
  const stop =
    major >= 15
      ? "pg_backup_stop(wait_for_archive => false)"
      : "pg_stop_backup(exclusive => false, wait_for_archive => false)";
  return await session.one<{ stopLsn: string; label: string; tablespaceMap: string }>(
    signal,
    `SELECT lsn::text AS "stopLsn", labelfile AS label, coalesce(spcmapfile, '') AS "tablespaceMap" FROM ${stop}`,
  );
}

/**
 * Keeps the server from recycling WAL until the session ends: by a temporary replication slot (manual, "Replication
 * Management Functions"). Without a slot the transaction continues, because `seal` detects WAL that was recycled.
 */
export async function reserveWal(session: Session, transaction: string, ctx: Context<Options>): Promise<boolean> {
  try {
    await session.query(ctx.signal, "SELECT pg_create_physical_replication_slot($1, true, true)", [
      slotName(transaction),
    ]);
    return true;
  } catch (error) {
    if (!(error instanceof PluginError) || session.lost !== undefined) throw error;
    ctx.log.warn(`no replication slot, so the server may recycle WAL before it is copied: ${error.message}`);
    return false;
  }
}

/** The slot ends with its session, unless something between this process and the server keeps the session. */
export async function dropSlot(session: Session, transaction: string, signal: AbortSignal): Promise<void> {
  await session.query(
    signal,
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE slot_name = $1 AND (NOT active OR active_pid = pg_backend_pid())`,
    [slotName(transaction)],
  );
}

/** At most 63 lower-case letters, digits and underscores: what a slot's name may be. */
export function slotName(transaction: string): string {
  return `holdstill_${transaction.toLowerCase().replaceAll(/[^a-z0-9]/g, "_")}`.slice(0, 63);
}

/**
 * Before an atomic cut: a checkpoint, if there is much to replay. It only shortens redo, so if it fails, or takes longer than
 * the call may, that is only a warning. SQL's CHECKPOINT always runs at full speed; backup mode is the one way to ask
 * for a spread one. The server's own limit ends it: a session that waits for a checkpoint does not notice that its client is gone.
 */
export async function checkpointBeforeCut(session: Session, cluster: Cluster, ctx: Context<Options>): Promise<void> {
  if (ctx.options.checkpoint === "none") return;
  try {
    const { bytes } = await session.one<{ bytes: number }>(
      ctx.signal,
      `SELECT pg_wal_lsn_diff(${currentLsn}, redo_lsn)::float8 AS bytes FROM pg_control_checkpoint()`,
    );
    if (bytes <= ctx.options.checkpointAboveBytes) return;
    ctx.progress(`checkpoint: ${Math.round(bytes / 1024 / 1024)} MiB of WAL since the last`);
    const limitMs = Math.max(1, Math.floor((ctx.deadline - Date.now()) * shareForCheckpoint));
    await session.limitStatements(limitMs, ctx.signal);
    await startBackup(session, cluster, "holdstill checkpoint", ctx.options.checkpoint === "fast", ctx.signal);
    await stopBackup(session, cluster, ctx.signal);
  } catch (error) {
    if (!(error instanceof PluginError) || session.lost !== undefined) throw error;
    ctx.log.warn(`no checkpoint before the cut: ${error.message}`);
  } finally {
    if (session.lost === undefined) await session.limitStatements(0, ctx.signal);
  }
}

/** SQL: how far the server has written, or replayed, WAL. */
export const currentLsn = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END";
