import type { Server } from "./server.js";
import type { Session } from "./session.js";

/** A session that may be what a lock waits for. */
export interface Blocker {
  readonly thread: number;
  readonly user: string;
  /** How long it has been in its state, s. */
  readonly seconds: number;
  /** Its statement, cut; null while it idles. */
  readonly statement: string | null;
}

/** What is shown of a statement, characters: enough to recognize it, and rarely what is secret in it. */
const shown = 80;

/** Threads that never hold what a lock waits for, or that are the server's own. */
const harmless = ["Daemon", "Binlog Dump", "Binlog Dump GTID", "Slave_IO"];

/**
 * The sessions that may hold the lock, the likeliest first: those that run a statement, the oldest first. Only if there are none, idle
 * sessions, which may have run LOCK TABLES. A session that waits for a lock waits behind this one.
 */
export async function findBlockers(
  watch: Session,
  server: Server,
  own: number,
  signal: AbortSignal,
): Promise<Blocker[]> {
  const table = server.product === "MariaDB" ? "information_schema.PROCESSLIST" : "performance_schema.processlist";
  const rows = await watch.query<Blocker & { command: string }>(
    signal,
    `SELECT ID AS thread, concat(USER, '@', coalesce(HOST, '')) AS user, cast(TIME AS signed) AS seconds,
            if(COMMAND = 'Sleep', NULL, left(regexp_replace(INFO, '[[:space:]]+', ' '), ${shown})) AS statement, COMMAND AS command
       FROM ${table}
      WHERE ID NOT IN (?, connection_id()) AND coalesce(STATE, '') NOT LIKE 'Waiting for%lock%'
      ORDER BY TIME DESC`,
    [own],
  );
  const others = rows.filter(
    ({ command, user }) => !harmless.includes(command) && !/^(system user|event_scheduler)@/.test(user),
  );
  const active = others.filter(({ command }) => command !== "Sleep");
  return active.length > 0 ? active : others;
}

/** Ends a statement, but not its session. An idle session has no statement, so the session itself is ended. */
export async function kill(watch: Session, { thread, statement }: Blocker, signal: AbortSignal): Promise<void> {
  await watch.query(signal, `KILL ${statement === null ? "CONNECTION" : "QUERY"} ${thread}`);
}

export function describe({ thread, user, seconds, statement }: Blocker): string {
  const doing = statement === null ? "idles, perhaps with a lock" : `runs ${statement}`;
  return `thread ${thread} of ${user} ${doing}, for ${seconds} s`;
}
