import type { Component, FreezeToken, ThawReport, Writer, WriterTransaction } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { codeOf } from "#kit/plugin-error.js";
import { endSessions, sessionName } from "./abort.js";
import {
  currentLsn,
  dropSlot,
  reserveWal,
  checkpointBeforeCut,
  startBackup,
  stopBackup,
  type BackupEnd,
} from "./backup.js";
import { spreadOver, tooShort } from "./checkpoint-time.js";
import { readCluster, type Cluster } from "./cluster.js";
import { component } from "./component.js";
import { PluginError } from "./errors.js";
import { noteTimeline } from "./known-timelines.js";
import type { Options } from "./options.js";
import { repair } from "./repair.js";
import { makeStartable, refuseRunning } from "./restore.js";
import { Session } from "./session.js";
import { writeSidecar } from "./sidecar.js";
import { unloggedTables } from "./unlogged.js";
import { verify } from "./verify.js";

/** What a transaction keeps from prepare to seal. */
interface Hold {
  readonly session: Session;
  readonly cluster: Cluster;
  readonly prepared: Proof;
  /** Where the server was at freeze. */
  frozenAt?: string;
  /** …and at thaw: an atomic cut is between the two. */
  thawedAt?: string;
  end?: BackupEnd;
  /** Why backup mode, or the session, was interrupted. */
  broken?: string | undefined;
}

/** Which server process responds, of which start of the server, in which role. It changes with anything that ends backup mode. */
interface Proof {
  readonly pid: number;
  readonly started: string;
  readonly standby: boolean;
  readonly lsn: string;
}

const holds = new Map<string, Hold>();

const writer = {
  async identify(ctx) {
    const session = await Session.open(ctx.options, "holdstill identify", ctx.signal);
    try {
      const cluster = await readCluster(session, ctx.signal);
      return [component(cluster, ctx.options, await unloggedTables(session, ctx.options, ctx.signal))];
    } finally {
      await session.close();
    }
  },

  async prepare(tx, ctx) {
    const session = await Session.open(ctx.options, sessionName(tx.id), ctx.signal);
    try {
      const cluster = await readCluster(session, ctx.signal);
      if (!cluster.durable)
        ctx.log.warn("fsync or full_page_writes is off: a crash, and so a snapshot, may be beyond repair");
      const { failing, lastFailed } = cluster.archiver;
      if (failing) ctx.log.warn(`the server cannot archive its WAL (${lastFailed}), and keeps it all`);
      refuseChanges(tx, component(cluster, ctx.options));
      noteTimeline(ctx.dataDir, cluster.systemIdentifier, cluster.timeline);
      if (inBackupMode(tx)) {
        await reserveWal(session, tx.id, ctx);
        const late = tooShort(cluster, ctx.options, ctx.deadline - Date.now());
        if (late !== undefined) ctx.log.warn(late);
        ctx.progress(`backup mode: waiting for a checkpoint${spreadOver(cluster, ctx.options)}`);
        const fast = ctx.options.checkpoint === "fast";
        await startBackup(session, cluster, sessionName(tx.id), fast, ctx.signal);
      } else {
        await checkpointBeforeCut(session, cluster, ctx);
      }
      holds.set(tx.id, { session, cluster, prepared: await prove(session, ctx.signal) });
    } catch (error) {
      await session.close();
      throw error;
    }
  },

  async freeze(tx, ctx): Promise<FreezeToken> {
    const hold = holds.get(tx.id);
    if (hold === undefined) throw unprepared();
    const proof = await prove(hold.session, ctx.signal);
    const changed = difference(hold.prepared, proof);
    if (changed !== undefined) throw lost(changed);
    hold.frozenAt = proof.lsn;
    return { lsn: proof.lsn, pid: proof.pid };
  },

  async thaw(tx, _token, ctx): Promise<ThawReport> {
    const hold = holds.get(tx.id);
    if (hold === undefined) return { uninterrupted: false, reason: unprepared().message };
    try {
      if (inBackupMode(tx)) hold.end = await stopBackup(hold.session, hold.cluster, ctx.signal);
      const proof = await prove(hold.session, ctx.signal);
      hold.thawedAt = proof.lsn;
      hold.broken = difference(hold.prepared, proof);
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      hold.broken = error.message;
    }
    return hold.broken === undefined
      ? { uninterrupted: true, facts: { lsn: hold.frozenAt, lsnAfter: hold.thawedAt } }
      : { uninterrupted: false, reason: hold.broken };
  },

  async seal(tx, ctx) {
    const hold = holds.get(tx.id);
    if (hold === undefined) throw unprepared();
    const { cluster, session, end, broken } = hold;
    const facts = { version: cluster.version, systemIdentifier: cluster.systemIdentifier, role: cluster.role };
    try {
      if (!inBackupMode(tx)) {
        const howToRestore =
          cluster.tablespaces.length > 0 || !isWithin(cluster.walDir, cluster.dataDir)
            ? "Copy the snapshot back to its places and start PostgreSQL. Beside the original it must be repaired first: see the README."
            : "Start PostgreSQL on the snapshot, or a copy of it, without postmaster.pid: it replays its own WAL.";
        const between = { lsn: hold.frozenAt, lsnAfter: hold.thawedAt };
        return { files: [], facts: { ...facts, timeline: cluster.timeline, ...between, howToRestore } };
      }
      if (end === undefined || broken !== undefined) {
        return { files: [], facts: { ...facts, useless: broken ?? "backup mode was not ended" } };
      }
      const sidecar = await writeSidecar(tx.sidecarDir, session, cluster, end, ctx.signal, ctx.progress.bind(ctx));
      await dropSlot(session, tx.id, ctx.signal);
      return { files: sidecar.files, facts: { ...facts, ...sidecar.facts } };
    } catch (error) {
      throw codeOf(error) === "ENOSPC" ? noSpace(tx.sidecarDir, error) : error;
    } finally {
      holds.delete(tx.id);
      await session.close();
    }
  },

  async abort(tx, _token, ctx) {
    const hold = holds.get(tx.id);
    holds.delete(tx.id);
    await hold?.session.close();
    await endSessions(tx.id, ctx.options, ctx.signal);
  },

  repair,
  verify,

  async beforeRestore(set, ctx) {
    refuseRunning(set, ctx);
  },

  afterRestore: makeStartable,
} satisfies Writer<Options>;

export default writer as Writer<Options>;

/** A cut of one instant is what a crash leaves, and the server's redo is made for it. Any other needs backup mode. */
function inBackupMode(tx: WriterTransaction): boolean {
  return tx.cut !== "atomic";
}

/** The plan must still be complete: a tablespace that was made since is in no snapshot. */
function refuseChanges(tx: WriterTransaction, now: Component): void {
  const planned = tx.components.flatMap(({ paths }) => paths);
  const missing = now.paths.filter((one) => !planned.includes(one));
  if (missing.length === 0) return;
  const message = `the cluster also has ${missing.join(", ")}, which is not captured`;
  throw new PluginError("PG_SNAPSHOT", message, "Take the snapshot again: that was made after the plan.");
}

async function prove(session: Session, signal: AbortSignal): Promise<Proof> {
  return await session.one<Proof & Record<string, unknown>>(
    signal,
    `SELECT pg_backend_pid() AS pid, pg_postmaster_start_time()::text AS started, pg_is_in_recovery() AS standby,
            (${currentLsn})::text AS lsn`,
  );
}

function difference(before: Proof, after: Proof): string | undefined {
  if (before.started !== after.started) return "the server was restarted";
  // A connection pooler may use another session.
  if (before.pid !== after.pid) return `another server process responds (${after.pid} instead of ${before.pid})`;
  if (before.standby && !after.standby) return "the standby was promoted";
  return undefined;
}

function noSpace(dir: string, cause: unknown): PluginError {
  const hint = "Free some space for stateDir, which gets the WAL from the start of the copy to its end.";
  return new PluginError("PG_NO_SPACE", `${dir} has no space for the WAL that the copy needs`, hint, {
    cause,
  });
}

function lost(why: string): PluginError {
  return new PluginError("PG_SESSION_LOST", why, "Connect to the server itself, not through a pooler; then try again.");
}

function unprepared(): PluginError {
  return lost("this worker has no session with the server: it was not prepared, or the worker before it died");
}
