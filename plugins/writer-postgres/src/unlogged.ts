import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import { Session } from "./session.js";

/**
 * The tables whose rows no snapshot has, as `DATABASE/SCHEMA.TABLE`: a server that replays its WAL empties them (manual, "CREATE TABLE",
 * UNLOGGED). Each database has its own catalogue. One that the account may not look into is passed over, and so are templates: a session
 * there is in the way of CREATE DATABASE.
 */
export async function unloggedTables(session: Session, options: Options, signal: AbortSignal): Promise<string[]> {
  const databases = await session.query<{ name: string }>(
    signal,
    `SELECT datname AS name FROM pg_database
      WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT') ORDER BY datname`,
  );
  const found: string[] = [];
  for (const { name } of databases) found.push(...(await tablesOf({ ...options, database: name }, signal)));
  return found;
}

async function tablesOf(options: Options, signal: AbortSignal): Promise<string[]> {
  try {
    const session = await Session.open(options, "holdstill identify", signal);
    try {
      const rows = await session.query<{ name: string }>(
        signal,
        `SELECT current_database() || '/' || n.nspname || '.' || c.relname AS name
           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.relpersistence = 'u' AND c.relkind = 'r' ORDER BY 1`,
      );
      return rows.map(({ name }) => name);
    } finally {
      await session.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    // It was dropped meanwhile, or refuses this account.
    if (error instanceof PluginError) return [];
    throw error;
  }
}
