import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { type Blocker, describe, findBlockers, kill } from "./blockers.js";
import { isLockTimeout, PluginError } from "./errors.js";
import type { Options } from "./options.js";
import type { Server } from "./server.js";
import type { Session } from "./session.js";

/** How the server is frozen. none: InnoDB's redo makes a snapshot of one instant whole, so no client has to wait. */
export type Lock = "none" | "backup-stage" | "read-lock";

/** What each lock is taken with in prepare and in freeze, and released with in thaw. */
const statements: Readonly<Record<Lock, { prepare: string[]; freeze: string[]; thaw: string[] }>> = {
  none: { prepare: [], freeze: [], thaw: [] },
  // START excludes other backups only. FLUSH already blocks clients that write to tables without redo log (manual, "BACKUP STAGE").
  "backup-stage": {
    prepare: ["BACKUP STAGE START"],
    freeze: ["BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL", "BACKUP STAGE BLOCK_COMMIT"],
    thaw: ["BACKUP STAGE END"],
  },
  "read-lock": {
    prepare: [],
    freeze: ["LOCK INSTANCE FOR BACKUP", "FLUSH TABLES WITH READ LOCK"],
    thaw: ["UNLOCK TABLES", "UNLOCK INSTANCE"],
  },
};

/** For a snapshot of one instant, as the component asks for. */
export function lockFor({ product, unlogged }: Server): Lock {
  if (unlogged.length === 0) return "none";
  return product === "MariaDB" ? "backup-stage" : "read-lock";
}

/** How much longer than its limit a server may wait before its statement is killed, ms: it uses the wall clock, which may be set. */
const lateMs = 1000;

/** Between two checks of the sessions while a lock is waited for, ms. */
const pollMs = 250;

/** A session that holds a lock, and a second one to watch while the first waits. */
export interface LockSession {
  readonly session: Session;
  readonly watch: Session;
  readonly server: Server;
  /** The session's number at the server. */
  readonly thread: number;
}

/** Takes the lock's part of that phase, in at most `lockSeconds`; after MYSQL_BLOCKED the caller has to end the session. */
export async function take(
  lock: Lock,
  phase: "prepare" | "freeze",
  by: LockSession,
  ctx: Context<Options>,
): Promise<void> {
  // A second less, so that this error is reported and not a missed deadline.
  const limitMs = Math.min(ctx.options.lockSeconds * 1000, ctx.deadline - Date.now() - 1000);
  // Not by the wall clock, which may be set meanwhile.
  const until = performance.now() + limitMs;
  for (const sql of statements[lock][phase]) {
    const seconds = Math.max(1, Math.ceil((until - performance.now()) / 1000));
    // Without it the server waits for a day, and with FLUSH TABLES all clients wait behind it.
    await by.session.query(ctx.signal, `SET SESSION lock_wait_timeout = ${seconds}`);
    await wait(sql, by, until, ctx);
  }
}

export async function release(lock: Lock, session: Session, signal: AbortSignal): Promise<void> {
  for (const sql of statements[lock].thaw) await session.query(signal, sql);
}

async function wait(sql: string, by: LockSession, until: number, ctx: Context<Options>): Promise<void> {
  const begun = performance.now();
  const state: { over: boolean; late: boolean; seen: Blocker[] } = { over: false, late: false, seen: [] };
  const taken = by.session.query(ctx.signal, sql).finally(() => (state.over = true));
  const settled = taken.then(
    () => {},
    () => {},
  );
  const killed = new Set<number>();
  for (;;) {
    await Promise.race([settled, sleep(pollMs)]);
    if (state.over) break;
    if (!state.late && performance.now() > until + lateMs) {
      state.late = true;
      await by.watch.query(ctx.signal, `KILL QUERY ${by.thread}`);
    }
    const seen = await findBlockers(by.watch, by.server, by.thread, ctx.signal).catch(() => []);
    if (seen.length > 0) state.seen = seen;
    const [first] = seen;
    if (!ctx.options.killBlockers || first === undefined || performance.now() < (begun + until) / 2) continue;
    // Many sessions may be idle, and a prepared XA transaction blocks without a session: at most one idle session is ended.
    if (killed.has(first.thread) || (first.statement === null && killed.size > 0)) continue;
    killed.add(first.thread);
    ctx.log.warn(`${sql} has waited for half of its time; killing ${describe(first)}`);
    await kill(by.watch, first, ctx.signal).catch((error: unknown) => ctx.log.warn(`not killed: ${String(error)}`));
  }
  try {
    await taken;
  } catch (error) {
    if (!isLockTimeout(error) && !state.late) throw error;
    throw blocked(sql, performance.now() - begun, state.seen, error);
  }
}

function blocked(sql: string, waitedMs: number, seen: readonly Blocker[], cause: unknown): PluginError {
  const blockers = seen.length === 0 ? "no blocker was found" : seen.slice(0, 3).map(describe).join("; ");
  const hint =
    "Wait until it ends, or end it; or set killBlockers, or a longer lockSeconds. InnoDB tables need no lock (README).";
  const message = `${sql} was not granted in ${(waitedMs / 1000).toFixed(1)} s: ${blockers}`;
  return new PluginError("MYSQL_BLOCKED", message, hint, { cause });
}
