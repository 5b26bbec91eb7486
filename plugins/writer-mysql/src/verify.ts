import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Context, Exposed, VerifyReport, WriterTransaction } from "holdstill/plugin";
import { capturedServer } from "./facts.js";
import { PluginError } from "./errors.js";
import { identifier } from "./identifier.js";
import type { Options } from "./options.js";
import { errorLines, isEnvironment, missingMeans } from "./server-log.js";
import { inPlaceOfOriginal } from "./snapshot-namespace.js";
import { type ServerRun, withServer } from "./snapshot-server.js";
import { redoBytes } from "./redo.js";
import type { Session } from "./session.js";

interface Table {
  readonly db: string;
  readonly name: string;
}

/**
 * Starts a server on the snapshot, checks what was asked for, and writes: a wrong owner shows only there. Only damage of the contents
 * counts as such.
 */
export async function verify(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<VerifyReport> {
  const facts = capturedServer(tx);
  const { verify: extent } = ctx.options;
  try {
    const ran = await withServer(facts, exposed, "series", ctx, async (session) => {
      const checked = extent === "start" ? { tables: 0, bad: [] } : await checkTables(session, ctx);
      await write(session, ctx.signal);
      return checked;
    });
    // After a clean stop each page's checksum has to be right; before, the redo log may have to repair torn ones.
    const sums = extent === "checksums" ? await checksums(facts.dataDir, exposed, ran, ctx) : { files: 0, bad: [] };
    const bad = [...ran.result.bad, ...sums.bad];
    const counted = {
      startMs: ran.startMs,
      redoBytes: redoBytes(ran.log),
      tables: ran.result.tables,
      files: sums.files,
    };
    if (bad.length === 0) return { result: "opens", facts: counted };
    const missing = missingMeans(ran.log);
    if (missing !== undefined) return { result: "not-examined", reason: `it lacks what the tables need: ${missing}` };
    const reason = `damaged: ${bad.slice(0, 5).join("; ")}`;
    return { result: "does-not-open", reason, facts: { ...counted, damaged: bad } };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    const result = error.code === "MYSQL_DAMAGED" ? "does-not-open" : "not-examined";
    return { result, reason: `${error.message} (${error.code})` };
  }
}

async function checkTables(session: Session, ctx: Context<Options>): Promise<{ tables: number; bad: string[] }> {
  const tables = await session.query<Table>(
    ctx.signal,
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'sys')
        AND ENGINE IN ('InnoDB', 'Aria', 'MyISAM', 'ARCHIVE', 'CSV', 'ROCKSDB')`,
  );
  const bad: string[] = [];
  for (const [index, { db, name }] of tables.entries()) {
    ctx.progress(`CHECK TABLE ${db}.${name}`, index, tables.length);
    const sql = `CHECK TABLE ${identifier(db, name)}`;
    const rows = await session.query<{ Msg_type: string; Msg_text: string }>(ctx.signal, sql);
    const wrong = rows.find(({ Msg_type }) => Msg_type.toLowerCase() === "error");
    if (wrong !== undefined) bad.push(`${db}.${name}: ${wrong.Msg_text}`);
  }
  return { tables: tables.length, bad };
}

async function write(session: Session, signal: AbortSignal): Promise<void> {
  const database = identifier(`holdstill_verify_${randomUUID()}`);
  await session.query(signal, `CREATE DATABASE ${database}`);
  await session.query(signal, `CREATE TABLE ${database}.t (id int PRIMARY KEY) ENGINE=InnoDB`);
  await session.query(signal, `INSERT INTO ${database}.t VALUES (1), (2)`);
  await session.query(signal, `DROP DATABASE ${database}`);
}

/** innochecksum(1) of each InnoDB file in the data directory's databases. It is beside the server, or in bin beside sbin. */
async function checksums(
  dataDir: string,
  { trees }: Exposed,
  { placement, binary }: ServerRun<unknown>,
  ctx: Context<Options>,
): Promise<{ files: number; bad: string[] }> {
  const root = trees.find(({ original }) => original === dataDir)?.path ?? dataDir;
  const names = await readdir(root, { recursive: true });
  const files = names.filter((name) => name.endsWith(".ibd"));
  const program = path.join(path.dirname(binary), "../bin/innochecksum");
  const bad: string[] = [];
  for (const [index, file] of files.entries()) {
    ctx.progress(`innochecksum ${file}`, index, files.length);
    const result = await ctx.exec("unshare", inPlaceOfOriginal(placement, [program, path.join(dataDir, file)]), {
      writable: [],
      priority: "background",
    });
    if (result.exitCode !== 0 && isEnvironment(result)) {
      const hint = "Install innochecksum beside the server, or set the option verify to tables.";
      throw new PluginError("MYSQL_SNAPSHOT", `${program} ended with ${errorLines(result)}`, hint);
    }
    if (result.exitCode !== 0) bad.push(`${file}: ${errorLines(result)}`);
  }
  return { files: files.length, bad };
}
