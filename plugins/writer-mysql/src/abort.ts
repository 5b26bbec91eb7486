import { setTimeout as sleep } from "node:timers/promises";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import { Session } from "./session.js";

/** How long a session may take to end after KILL, ms. */
const endsWithinMs = 10_000;

/** The user-level lock that marks a transaction's session, so that a later worker finds it. A name has at most 64 characters. */
function mark(transaction: string): string {
  return `holdstill ${transaction}`.slice(0, 64);
}

/** Marks the session, and returns its number at the server. */
export async function markSession(session: Session, transaction: string, signal: AbortSignal): Promise<number> {
  const { marked, thread } = await session.one<{ marked: number; thread: number }>(
    signal,
    "SELECT get_lock(?, 0) AS marked, connection_id() AS thread",
    [mark(transaction)],
  );
  if (marked === 1) return thread;
  const hint = "A session of the same transaction still runs: see SHOW PROCESSLIST.";
  throw new PluginError("MYSQL_STUCK", `another session has the mark "${mark(transaction)}"`, hint);
}

/**
 * Ends the transaction's session, in whatever state it is, and returns when the server has none. Its locks end with it. Each account
 * may end its own sessions. A server that is down has none.
 */
export async function endSession(transaction: string, options: Options, signal: AbortSignal): Promise<void> {
  let session: Session;
  try {
    session = await Session.open(options, signal);
  } catch (error) {
    if (error instanceof PluginError && error.code === "MYSQL_DOWN") return;
    throw error;
  }
  try {
    const deadline = performance.now() + endsWithinMs;
    for (;;) {
      const sql = "SELECT is_used_lock(?) AS thread";
      const { thread } = await session.one<{ thread: number | null }>(signal, sql, [mark(transaction)]);
      if (thread === null) return;
      if (performance.now() > deadline) throw stuck(thread);
      await endThread(session, thread, signal);
      await sleep(20, undefined, { signal });
    }
  } finally {
    await session.close();
  }
}

async function endThread(session: Session, thread: number, signal: AbortSignal): Promise<void> {
  try {
    await session.query(signal, `KILL CONNECTION ${thread}`);
  } catch (error) {
    // ER_NO_SUCH_THREAD: it ended meanwhile.
    const cause = error instanceof Error ? error.cause : undefined;
    if (!(cause instanceof Error && "errno" in cause && cause.errno === 1094)) throw error;
  }
}

function stuck(thread: number): PluginError {
  const hint = `KILL ${thread}. If it remains, find out what the thread waits for.`;
  return new PluginError("MYSQL_STUCK", `the server does not end session ${thread}`, hint);
}
