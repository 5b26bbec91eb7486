import { setTimeout as sleep } from "node:timers/promises";
import type { Context, Exposed, Report, WriterTransaction } from "holdstill/plugin";
import { capturedServer, type ServerFacts } from "./facts.js";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import { withServer } from "./snapshot-server.js";
import { redoBytes } from "./redo.js";
import type { Session } from "./session.js";

/** The end of the snapshot's binary log, from which a replica or a roll forward continues. */
interface LogEnd {
  readonly file?: string;
  readonly offset?: number;
  readonly gtid?: string;
}

/**
 * Lets a server of the same version replay the redo log, roll back what was not committed, and stop cleanly: then a server opens
 * the snapshot at once. It adds nothing but an empty binary log file, so that a replica or a roll forward can start from it.
 */
export async function repair(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<Report> {
  const facts = capturedServer(tx);
  const begun = performance.now();
  ctx.progress("replaying the redo log");
  try {
    const { result, startMs, log } = await withServer(facts, exposed, "exact", ctx, async (session) => {
      const preparedXa = await rolledBack(session, ctx);
      return { preparedXa, end: await logEnd(session, facts, ctx.signal) };
    });
    const bytes = redoBytes(log);
    const ms = Math.round(performance.now() - begun);
    return {
      ok: true,
      facts: {
        ms,
        startMs,
        ...(bytes !== undefined && { redoBytes: bytes }),
        preparedXa: result.preparedXa,
        ...result.end,
      },
    };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { ok: false, reason: `${error.message} (${error.code})` };
  }
}

/**
 * Waits until no transaction is left that the crash interrupted: a server already responds while it rolls them back, and a fast stop
 * would leave the rest to the next start. Those of two-phase commits must stay; their number is returned.
 */
async function rolledBack(session: Session, ctx: Context<Options>): Promise<number> {
  for (;;) {
    // A recovered transaction has no session.
    const sql = "SELECT count(*) AS open FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = 0";
    const { open } = await session.one<{ open: number }>(ctx.signal, sql);
    const { length: prepared } = await session.query(ctx.signal, "XA RECOVER");
    if (open <= prepared) return prepared;
    ctx.progress(`rolling back ${open - prepared} transactions`);
    await sleep(100, undefined, { signal: ctx.signal });
  }
}

async function logEnd(session: Session, { product, binlog }: ServerFacts, signal: AbortSignal): Promise<LogEnd> {
  if (binlog === "off") return {};
  const logs = await session.query<{ Log_name: string; File_size: number }>(signal, "SHOW BINARY LOGS");
  // The last is the one that this server began.
  const last = logs.at(-2);
  const at = last === undefined ? {} : { file: last.Log_name, offset: last.File_size };
  if (product === "MySQL") {
    const { gtid } = await session.one<{ gtid: string }>(signal, "SELECT @@global.gtid_executed AS gtid");
    return { ...at, ...(gtid !== "" && { gtid: gtid.replaceAll("\n", "") }) };
  }
  const { gtid } = await session.one<{ gtid: string }>(signal, "SELECT @@global.gtid_binlog_pos AS gtid");
  // MariaDB keeps half an event at the end of the file, if there is one: then the file's size is not a position.
  const sql = "SELECT binlog_gtid_pos(?, ?) AS gtid";
  const check = await session.one<{ gtid: string | null }>(signal, sql, [at.file ?? "", at.offset ?? 0]);
  return check.gtid === gtid ? { ...at, gtid } : { gtid };
}
