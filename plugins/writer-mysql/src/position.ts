import type { Server } from "./server.js";
import type { Session } from "./session.js";

/** Where a server is in its binary log, and in InnoDB's redo log. */
export interface Position {
  /** Name of the file, without folder; not there without binary log. */
  readonly file?: string;
  readonly offset?: number;
  /** MariaDB's `0-1-9036`, MySQL's `uuid:1-9036`. */
  readonly gtid?: string;
  readonly lsn?: number;
  /** Bytes of redo since the last checkpoint: what a start on a snapshot has to replay. */
  readonly redoBytes?: number;
}

interface Status {
  File: string;
  Position: number;
}

/** Requires the rights that the README names. */
export async function readPosition(session: Session, server: Server, signal: AbortSignal): Promise<Position> {
  return server.product === "MariaDB"
    ? await ofMariadb(session, server, signal)
    : await ofMysql(session, server, signal);
}

async function ofMariadb(session: Session, { binlog }: Server, signal: AbortSignal): Promise<Position> {
  const status = await session.query<{ Variable_name: string; Value: string }>(
    signal,
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_lsn_current', 'Innodb_lsn_last_checkpoint')",
  );
  const value = (name: string): number => Number(status.find(({ Variable_name }) => Variable_name === name)?.Value);
  const lsn = value("Innodb_lsn_current");
  const redo = { lsn, redoBytes: lsn - value("Innodb_lsn_last_checkpoint") };
  if (binlog === "off") return redo;
  // The position first: a transaction between the two only makes the range larger that thaw's position ends.
  const { gtid } = await session.one<{ gtid: string }>(signal, "SELECT @@global.gtid_binlog_pos AS gtid");
  const { File, Position } = await session.one<Status>(signal, "SHOW MASTER STATUS");
  return { ...redo, file: File, offset: Position, gtid };
}

/** log_status is of one instant over binary log and engines (manual, "The log_status Table"). */
async function ofMysql(session: Session, { binlog }: Server, signal: AbortSignal): Promise<Position> {
  const row = await session.one<{ local: LocalStatus | string; engines: EngineStatus | string }>(
    signal,
    "SELECT local AS local, storage_engines AS engines FROM performance_schema.log_status",
  );
  const local = parsed(row.local);
  const { LSN, LSN_checkpoint } = parsed(row.engines).InnoDB;
  const redo = { lsn: LSN, redoBytes: LSN - LSN_checkpoint };
  if (binlog === "off") return redo;
  const { binary_log_file: file, binary_log_position: offset, gtid_executed } = local;
  return { ...redo, file, offset, ...(gtid_executed !== "" && { gtid: gtid_executed.replaceAll("\n", "") }) };
}

interface LocalStatus {
  gtid_executed: string;
  binary_log_file: string;
  binary_log_position: number;
}

interface EngineStatus {
  InnoDB: { LSN: number; LSN_checkpoint: number };
}

/** The client makes objects of columns of type JSON, where it knows the type. */
function parsed<T>(value: T | string): T {
  return typeof value === "string" ? (JSON.parse(value) as T) : value;
}
