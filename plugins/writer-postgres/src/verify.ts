import type { Context, ExecResult, Exposed, VerifyReport, WriterTransaction } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { applySidecar, becomeIndependent } from "./apply-sidecar.js";
import type { Options } from "./options.js";
import { WritableSnapshot } from "./snapshot.js";
import { Programs } from "./programs.js";
import { SecondServer } from "./second-server.js";
import type { Session } from "./session.js";

/**
 * Starts a server on a writable snapshot, checks and writes, and stops it. Nothing that users may set in the database decides the
 * result.
 *
 * @throws PG_SNAPSHOT if it is not a snapshot of this cluster, or cannot be written to.
 */
export async function verify(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<VerifyReport> {
  try {
    return await examine(tx, exposed, ctx);
  } catch (error) {
    // It is not the snapshot that it should be, or not one to write to.
    if (!(error instanceof PluginError) || error.code === "PG_SNAPSHOT") throw error;
    const result = isDamage(error) ? "does-not-open" : "not-examined";
    return { result, reason: error.message, facts: { code: error.code } };
  }
}

/** Errors of the snapshot, not of the verification. */
function isDamage({ code, message }: PluginError): boolean {
  return ["PG_RECOVERY", "PG_QUERY", "PG_SESSION_LOST"].includes(code) && !ofThisMachine.test(message);
}

/** A server's messages about what it did not get from this machine, whatever the snapshot is like. */
const ofThisMachine =
  /No space left|Disk quota|Cannot allocate memory|could not (create|map) .*shared memory|Too many open files|Read-only file system|could not (access file|load library) "|Resource temporarily unavailable|unrecognized configuration parameter/i;

async function examine(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<VerifyReport> {
  const snapshot = WritableSnapshot.open(tx, exposed);
  try {
    await snapshot.detach();
    const programs = await Programs.of(snapshot, ctx);
    const { state } = snapshot.control();
    if (state === "in use") applySidecar(tx.sidecarDir, snapshot.folder);
    becomeIndependent(snapshot.folder);
    // Any setting in it may keep a server from starting here. The snapshot is discarded.
    snapshot.folder.remove("postgresql.auto.conf");
    return await check(snapshot, programs, state, ctx);
  } finally {
    snapshot.close();
  }
}

async function check(
  snapshot: WritableSnapshot,
  programs: Programs,
  state: string,
  ctx: Context<Options>,
): Promise<VerifyReport> {
  const begun = performance.now();
  const server = await SecondServer.start(snapshot, programs, ctx);
  const startMs = Math.round(performance.now() - begun);
  const checks: string[] = [];
  try {
    ctx.progress("a server runs on the snapshot");
    const user = await superuser(server, ctx);
    if (ctx.options.verify.includes("amcheck")) {
      const args = [...server.target, "--username", user, "--all", "--install-missing"];
      // 2: corruption was found; 1: it could not look (src/bin/pg_amcheck/pg_amcheck.c).
      refuseBad("pg_amcheck", await programs.run("pg_amcheck", args), ({ exitCode }) => exitCode === 2);
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
    const done = await programs.run("pg_checksums", ["--check", "--pgdata", snapshot.dataDir]);
    refuseBad("pg_checksums", done, ({ stdout, stderr }) =>
      /verification failed|Bad checksums: +[1-9]/.test(stdout + stderr),
    );
    checks.push("checksums");
  }
  return { result: "opens", facts: { was: state, startMs, checks } };
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

/**
 * Bytes, a WAL file more, and a checkpoint: a folder that the server may not write to shows only now. A large object needs no schema,
 * and no trigger of users fires for it.
 */
async function write(session: Session, signal: AbortSignal): Promise<void> {
  await session.query(signal, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE");
  const bytes = 256 * 1024;
  const made = "SELECT lo_from_bytea(0, decode(repeat('78', $1), 'hex')) AS oid";
  const { oid } = await session.one<{ oid: number }>(signal, made, [bytes]);
  await session.query(signal, "SELECT pg_switch_wal()");
  await session.query(signal, "SELECT lo_put($1, $2, decode(repeat('79', $3), 'hex'))", [oid, bytes, bytes]);
  await session.query(signal, "CHECKPOINT");
  const { read } = await session.one<{ read: number }>(signal, "SELECT length(lo_get($1)) AS read", [oid]);
  if (read !== 2 * bytes)
    throw new PluginError("PG_QUERY", `${2 * bytes} bytes were written, but ${read} were read`, "Check the disk.");
  await session.query(signal, "SELECT lo_unlink($1)", [oid]);
}

/** @throws PG_QUERY for damage, PG_UNEXAMINED where the program could not look. */
function refuseBad(name: string, done: ExecResult, isDamaged: (done: ExecResult) => boolean): void {
  const { exitCode, stdout, stderr } = done;
  if (exitCode === 0) return;
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  const errors = lines.filter((line) => /error|checksum verification failed/i.test(line));
  const messages = (errors.length > 0 ? errors : lines).slice(0, 3).join("; ");
  if (isDamaged(done)) {
    const hint = "Also check the captured server.";
    throw new PluginError("PG_QUERY", `${name} found errors in the snapshot: ${messages}`, hint);
  }
  const hint = "See the message, or take the check out of the option verify.";
  throw new PluginError("PG_UNEXAMINED", `${name} could not check the snapshot: ${messages}`, hint);
}
