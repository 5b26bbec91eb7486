import type { Context, Exposed, Report, WriterTransaction } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { applySidecar } from "./apply-sidecar.js";
import type { Options } from "./options.js";
import { WritableSnapshot } from "./snapshot.js";
import { Programs } from "./programs.js";
import { SecondServer } from "./second-server.js";
import type { Session } from "./session.js";

/**
 * Starts a server on a writable snapshot, checks and writes, and stops it. A snapshot that is damaged is a report; that it could not
 * be checked is an error.
 */
export async function verify(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<Report> {
  const snapshot = WritableSnapshot.open(tx, exposed);
  try {
    await snapshot.detach();
    const programs = await Programs.of(snapshot, ctx);
    const { state } = snapshot.control();
    if (state === "in use") applySidecar(tx.sidecarDir, snapshot.folder);
    for (const signal of ["standby.signal", "recovery.signal"]) snapshot.folder.remove(signal);
    return await check(snapshot, programs, state, ctx);
  } catch (error) {
    if (!(error instanceof PluginError) || !isVerdict(error)) throw error;
    return { ok: false, reason: error.message, facts: { code: error.code } };
  } finally {
    snapshot.close();
  }
}

/** Errors of the snapshot, not of the verification. */
function isVerdict({ code }: PluginError): boolean {
  return code === "PG_RECOVERY" || code === "PG_QUERY" || code === "PG_SESSION_LOST";
}

async function check(
  snapshot: WritableSnapshot,
  programs: Programs,
  state: string,
  ctx: Context<Options>,
): Promise<Report> {
  const begun = performance.now();
  const server = await SecondServer.start(snapshot, programs, ctx);
  const startMs = Math.round(performance.now() - begun);
  const checks: string[] = [];
  try {
    ctx.progress("a server runs on the snapshot");
    const user = await superuser(server, ctx);
    if (ctx.options.verify.includes("amcheck")) {
      const target = ["--host", server.host, "--port", "5432", "--username", user];
      await must(programs.run("pg_amcheck", [...target, "--all", "--install-missing"]), "pg_amcheck");
      checks.push("amcheck");
    }
    const session = await server.connect(user);
    try {
      await write(session, ctx.signal);
    } finally {
      await session.close();
    }
    checks.push("write");
  } finally {
    await server.stop();
  }
  if (ctx.options.verify.includes("checksums")) {
    await must(programs.run("pg_checksums", ["--check", "--pgdata", snapshot.dataDir]), "pg_checksums");
    checks.push("checksums");
  }
  return { ok: true, facts: { was: state, startMs, checks } };
}

/** Only a superuser may write everywhere. Any role may read which roles are superusers. */
async function superuser(server: SecondServer, ctx: Context<Options>): Promise<string> {
  const session = await server.connect();
  try {
    const { role } = await session.one<{ role: string }>(
      ctx.signal,
      "SELECT coalesce(min(rolname) FILTER (WHERE rolsuper AND rolcanlogin), current_user)::text AS role FROM pg_roles",
    );
    return role;
  } finally {
    await session.close();
  }
}

/** Rows, a WAL file more, and a checkpoint: a folder that the server may not write to shows only now. */
async function write(session: Session, signal: AbortSignal): Promise<void> {
  const table = "public.holdstill_verify";
  await session.query(signal, `CREATE TABLE ${table} AS SELECT number FROM generate_series(1, 1000) AS number`);
  await session.query(signal, "SELECT pg_switch_wal()");
  await session.query(signal, `INSERT INTO ${table} SELECT number FROM generate_series(1, 1000) AS number`);
  await session.query(signal, "CHECKPOINT");
  const { rows } = await session.one<{ rows: number }>(signal, `SELECT count(*)::int AS rows FROM ${table}`);
  if (rows !== 2000)
    throw new PluginError("PG_QUERY", `2000 rows were written, but ${rows} were read`, "Check the disk.");
  await session.query(signal, `DROP TABLE ${table}`);
}

async function must(run: ReturnType<Programs["run"]>, name: string): Promise<void> {
  const { exitCode, stdout, stderr } = await run;
  if (exitCode === 0) return;
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  const errors = lines.filter((line) => /error|checksum verification failed/i.test(line));
  const messages = (errors.length > 0 ? errors : lines).slice(0, 3).join("; ");
  throw new PluginError(
    "PG_QUERY",
    `${name} found errors in the snapshot: ${messages}`,
    "Also check the captured server.",
  );
}
