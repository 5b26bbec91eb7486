import type { FreezeToken, ThawReport, Writer, WriterTransaction } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { endSession, markSession } from "./abort.js";
import { component } from "./component.js";
import { PluginError } from "./errors.js";
import { type Lock, lockFor, release, take } from "./lock.js";
import type { Options } from "./options.js";
import { type Position, readPosition } from "./position.js";
import { refuseRunning } from "./restore.js";
import { repair } from "./repair.js";
import { readServer, type Server } from "./server.js";
import { Session } from "./session.js";
import { verify } from "./verify.js";

/** What a transaction keeps from prepare to seal. */
interface Hold {
  readonly session: Session;
  /** A second one, where a lock is waited for. */
  readonly watch: Session | undefined;
  readonly server: Server;
  readonly thread: number;
  readonly lock: Lock;
  /** Folders that the server has had since, and no snapshot has. */
  uncaptured?: readonly string[];
  /** At freeze and at thaw; the snapshot's own position is in between. Under a lock, all are equal. */
  from?: Position | undefined;
  to?: Position | undefined;
}

const holds = new Map<string, Hold>();

const writer = {
  async identify(ctx) {
    const session = await Session.open(ctx.options, ctx.signal);
    try {
      return [component(await readServer(session, ctx.signal), ctx.options)];
    } finally {
      await session.close();
    }
  },

  async prepare(tx, ctx) {
    const session = await Session.open(ctx.options, ctx.signal);
    const opened = [session];
    try {
      const thread = await markSession(session, tx.id, ctx.signal);
      const server = await readServer(session, ctx.signal);
      refuse(uncaptured(tx, server));
      // A missing right should not be found only in freeze.
      await readPosition(session, server, ctx.signal);
      if (!server.durable)
        ctx.log.warn(
          "innodb_flush_log_at_trx_commit or sync_binlog is not 1: a snapshot may lack what was acknowledged, or its log",
        );
      const lock = lockFor(server);
      const watch = lock === "none" ? undefined : await Session.open(ctx.options, ctx.signal);
      if (watch !== undefined) {
        opened.push(watch);
        ctx.progress(`${server.unlogged.join(", ")}: tables without redo log, so clients that write will wait`);
        await take(lock, "prepare", { session, watch, server, thread }, ctx);
      }
      holds.set(tx.id, { session, watch, server, thread, lock });
    } catch (error) {
      for (const one of opened) await one.close();
      throw error;
    }
  },

  async freeze(tx, ctx): Promise<FreezeToken> {
    const hold = holds.get(tx.id);
    if (hold === undefined) throw unprepared();
    try {
      await prove(hold, ctx.signal);
      const { watch } = hold;
      if (watch !== undefined) await take(hold.lock, "freeze", { ...hold, watch }, ctx);
      hold.from = await readPosition(hold.session, hold.server, ctx.signal);
    } catch (error) {
      // Part of a lock would stay until abort.
      await end(hold);
      throw error;
    }
    return { thread: hold.thread, lock: hold.lock };
  },

  async thaw(tx, _token, ctx): Promise<ThawReport> {
    const hold = holds.get(tx.id);
    if (hold === undefined) return { uninterrupted: false, reason: unprepared().message };
    const { session, server, lock } = hold;
    try {
      await prove(hold, ctx.signal);
      await release(lock, session, ctx.signal);
      hold.to = lock === "none" ? await readPosition(session, server, ctx.signal) : hold.from;
      const now = await readServer(session, ctx.signal);
      hold.uncaptured = uncaptured(tx, now);
      const why = newUnlogged(now, lock) ?? newUnknown(now, server);
      return why === undefined
        ? { uninterrupted: true, facts: { lock, from: hold.from, to: hold.to } }
        : { uninterrupted: false, reason: why };
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      return { uninterrupted: false, reason: error.message };
    } finally {
      await end(hold);
    }
  },

  async seal(tx) {
    const hold = holds.get(tx.id);
    if (hold === undefined) throw unprepared();
    holds.delete(tx.id);
    refuse(hold.uncaptured ?? []);
    const { server, lock, from, to } = hold;
    const { product, version, uuid, role, unlogged } = server;
    const howToRestore = `Start ${product} ${version} on the snapshot, or a copy of it, at the places of the original.`;
    return { files: [], facts: { product, version, uuid, role, unlogged, lock, from, to, howToRestore } };
  },

  async abort(tx, _token, ctx) {
    const hold = holds.get(tx.id);
    holds.delete(tx.id);
    if (hold !== undefined) await end(hold);
    await endSession(tx.id, ctx.options, ctx.signal);
  },

  repair,
  verify,
  beforeRestore: refuseRunning,
} satisfies Writer<Options>;

export default writer as Writer<Options>;

/** Checks that the same session of the same server responds. A session ends with its server; a proxy may use another. */
async function prove({ session, thread }: Hold, signal: AbortSignal): Promise<void> {
  const { now } = await session.one<{ now: number }>(signal, "SELECT connection_id() AS now");
  if (now !== thread) throw lost(`another session responds (${now} instead of ${thread})`);
}

/** A table without redo log that came after prepare, which no lock covered. */
function newUnlogged({ unlogged }: Server, lock: Lock): string | undefined {
  if (lock !== "none" || unlogged.length === 0) return undefined;
  return `a table of ${unlogged.join(", ")} was made meanwhile, and no lock covered it`;
}

/** A table that the plan did not know of, when it promised something. */
function newUnknown(now: Server, before: Server): string | undefined {
  const made = now.unknownTables.filter((table) => !before.unknownTables.includes(table));
  return made.length === 0
    ? undefined
    : `a table of an engine that is not known was made meanwhile: ${made.join(", ")}`;
}

function uncaptured({ components }: WriterTransaction, { folders }: Server): string[] {
  const captured = components.flatMap(({ paths }) => paths);
  return folders.filter((folder) => !captured.some((path) => isWithin(folder, path)));
}

/** A server on the snapshot would find files there through the redo log, and open them: files of the captured server. */
function refuse(folders: readonly string[]): void {
  if (folders.length === 0) return;
  const message = `the server also has ${folders.join(", ")}, which is not captured`;
  throw new PluginError("MYSQL_SNAPSHOT", message, "Take the snapshot again: a table was made there after the plan.");
}

async function end({ session, watch }: Hold): Promise<void> {
  await session.close();
  await watch?.close();
}

function lost(why: string): PluginError {
  return new PluginError(
    "MYSQL_SESSION_LOST",
    why,
    "Connect to the server itself, not through a proxy; then try again.",
  );
}

function unprepared(): PluginError {
  return lost("this worker has no session with the server: it was not prepared, or the worker before it died");
}
