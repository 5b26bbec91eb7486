import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "#kit/plugin-error.js";
import { dropSlot } from "./backup.js";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import { Session } from "./session.js";

/** How long a session may take to end after it was terminated, ms. */
const endsWithinMs = 10_000;

/** How the server lists the session of a transaction: it keeps 63 bytes. */
export function sessionName(transaction: string): string {
  return `holdstill ${transaction}`.slice(0, 63);
}

/**
 * Ends the transaction's session, in whatever state it is, and returns when the server has none. Backup mode and the temporary slot
 * end with it; a slot that did not is dropped. A server that is down has no sessions, and a database that is gone (invalid_catalog_name) has none of ours.
 */
export async function endSessions(transaction: string, options: Options, signal: AbortSignal): Promise<void> {
  let session: Session;
  try {
    session = await Session.open(options, "holdstill abort", signal);
  } catch (error) {
    if (error instanceof PluginError && (error.code === "PG_DOWN" || codeOf(error.cause) === "3D000")) return;
    throw error;
  }
  try {
    const deadline = performance.now() + endsWithinMs;
    const sql = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    for (;;) {
      const left = await session.query<{ pid: number }>(signal, sql, [sessionName(transaction)]);
      if (left.length === 0) return await dropSlot(session, transaction, signal);
      if (performance.now() > deadline) throw stuck(left.map(({ pid }) => pid));
      await sleep(20, undefined, { signal });
    }
  } finally {
    await session.close();
  }
}

function stuck(pids: readonly number[]): PluginError {
  const hint = `SELECT pg_terminate_backend(${pids[0]}); if it remains, find out what the process waits for.`;
  return new PluginError("PG_STUCK", `the server does not end session ${pids.join(", ")}`, hint);
}
