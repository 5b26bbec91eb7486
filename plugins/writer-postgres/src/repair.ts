import type { Context, Exposed, Report, WriterTransaction } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { applySidecar, becomeIndependent } from "./apply-sidecar.js";
import { buffersMb } from "./buffers.js";
import type { Options } from "./options.js";
import { WritableSnapshot } from "./snapshot.js";
import { Programs } from "./programs.js";
import { beginTimeline, leaveOwnWal } from "./own-timeline.js";
import { withoutOwnSettings } from "./own-settings.js";
import { settings, usualWalSegmentBytes } from "./settings.js";
import { parseLsn } from "./wal.js";
import { whileWritingOut } from "./write-out.js";

/**
 * Repairs a writable snapshot, so that a server opens it at once, on a timeline of its own: a single-user server of the same version
 * replays the WAL and stops cleanly (manual, postgres, "Options for Single-User Mode"). It listens nowhere. A snapshot that is
 * already repaired is not changed.
 */
export async function repair(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<Report> {
  const snapshot = WritableSnapshot.open(tx, exposed);
  const begun = performance.now();
  try {
    await snapshot.detach();
    const redo = await whileWritingOut(snapshot.places, ctx, async () =>
      snapshot.control().state === "shut down" ? nothingToDo : await replay(tx, snapshot, ctx),
    );
    const { state, checkpointLsn, timeline } = snapshot.control();
    if (state !== "shut down") throw failed("the server ended, but the cluster is not shut down", "");
    return {
      ok: true,
      facts: {
        ...redo,
        ms: Math.round(performance.now() - begun),
        endLsn: checkpointLsn,
        timeline,
        howToRestore,
        // Where they lead now, never to the originals.
        links: snapshot.facts.tablespaces.map(({ oid, location, folder }) => ({
          oid,
          location,
          leadsTo: snapshot.placeOf(folder),
        })),
      },
    };
  } finally {
    snapshot.close();
  }
}

const howToRestore =
  "Copy the repaired snapshot back to its places, set the links in pg_tblspc to the places of the tablespaces, and start PostgreSQL. " +
  "Nothing of the sidecar is needed. For a point in time, use the snapshot as it was cut.";

interface Redo {
  readonly redoBytes: number;
  /** shared_buffers of the server, MiB. */
  readonly memoryMb?: number;
  readonly redoFrom?: string | undefined;
  readonly redoTo?: string | undefined;
}

const nothingToDo: Redo = { redoBytes: 0 };

async function replay(
  { sidecarDir }: WriterTransaction,
  snapshot: WritableSnapshot,
  ctx: Context<Options>,
): Promise<Redo> {
  const { facts, folder } = snapshot;
  const programs = await Programs.of(snapshot, ctx);
  applySidecar(sidecarDir, folder);
  becomeIndependent(folder);
  // No archive can continue from such WAL, and a server refuses to try.
  const recovery = facts.settings["wal_level"] === "minimal" ? {} : beginTimeline(folder);
  ctx.progress("repairing the snapshot");
  // The plugin writes it out, in any order, which takes a fraction of the time.
  const memoryMb = buffersMb(snapshot, ctx.options);
  const own = settings(facts, memoryMb, { ...recovery, fsync: "off", hba_file: "/dev/null" });
  const args = ["--single", "-D", snapshot.dataDir, ...own, "template1"];
  const { exitCode, stderr } = await withoutOwnSettings(folder, async () => await programs.run("postgres", args));
  if (exitCode !== 0) throw failed(`postgres --single ended with ${exitCode ?? "a signal"}`, stderr);
  // Redo may have made links again.
  await snapshot.detach();
  const archiving = facts.archiver.mode === "off" ? "off" : "on";
  const bytes = facts.walSegmentBytes ?? usualWalSegmentBytes;
  leaveOwnWal(snapshot.placeOf(facts.walDir), folder.owner, snapshot.control(), bytes, archiving);
  const redoFrom = /redo starts at ([0-9A-F]+\/[0-9A-F]+)/.exec(stderr)?.[1];
  const redoTo = /redo done at ([0-9A-F]+\/[0-9A-F]+)/.exec(stderr)?.[1];
  if (redoFrom === undefined || redoTo === undefined) return nothingToDo;
  return { redoBytes: Number(parseLsn(redoTo) - parseLsn(redoFrom)), memoryMb, redoFrom, redoTo };
}

/** With the last messages of the server. */
function failed(what: string, log: string): PluginError {
  const lines = log.split("\n").filter((line) => /FATAL|PANIC|HINT|DETAIL/.test(line));
  const messages = (lines.length > 0 ? lines : log.trim().split("\n")).slice(-3).join("; ");
  const hint =
    "The snapshot as it was cut may still start, with the server's own configuration; see the README, Restoring.";
  return new PluginError("PG_RECOVERY", messages === "" ? what : `${what}: ${messages}`, hint);
}
