import { existsSync } from "node:fs";
import type { Context, SnapshotSet } from "holdstill/plugin";
import { applySidecar } from "./apply-sidecar.js";
import { type Control, readControl } from "./control.js";
import { factsOf, type Facts } from "./facts.js";
import { PluginError } from "./errors.js";
import { Folder } from "./folder.js";
import { knownTimeline, noteTimeline, timelineOf } from "./known-timelines.js";
import type { Options, RestoreTo } from "./options.js";
import { promote } from "./promote.js";
import { serverOf } from "./server-process.js";

/**
 * Refuses while a server runs on a data directory that is to be replaced. What is known of its timelines is noted: it is gone
 * afterwards.
 */
export function refuseRunning(set: SnapshotSet, ctx: Context<Options>): void {
  for (const { facts, repairedIn } of clustersOf(set)) {
    if (ctx.options.restoreTo !== undefined && set.snapshots.some(({ snapshot }) => repairedIn.includes(snapshot.id)))
      throw notTheBase(`set ${set.id}`);
    refuseServerOn(facts.dataDir);
    if (existsSync(facts.dataDir)) noteTimeline(ctx.dataDir, facts.systemIdentifier, timelineOf(facts));
  }
}

/**
 * Makes a data directory that was put back startable: label and WAL of a fuzzy copy, links to the original places of the
 * tablespaces, and on request the settings for a point in time. A repaired one gets a timeline that no server of the cluster has had.
 */
export async function makeStartable(set: SnapshotSet, ctx: Context<Options>): Promise<void> {
  for (const { facts, sidecarDir } of clustersOf(set)) {
    const { dataDir, tablespaces } = facts;
    refuseServerOn(dataDir);
    const folder = Folder.open(dataDir);
    try {
      const control = readControl(folder.at("global/pg_control"));
      refuseOther(facts, control);
      folder.remove("postmaster.pid");
      const links = folder.folder("pg_tblspc");
      for (const { oid, location } of tablespaces) links.link(String(oid), location);
      links.close();
      if (control.state === "in use" && sidecarDir !== undefined) applySidecar(sidecarDir, folder);
      if (ctx.options.restoreTo !== undefined) setRecoveryTarget(folder, dataDir, control.state, ctx.options.restoreTo);
      else if (control.state === "shut down") await beginUnusedTimeline(folder, facts, control, ctx);
    } finally {
      folder.close();
    }
  }
}

interface Captured {
  facts: Facts;
  sidecarDir: string | undefined;
  /** The snapshots that were repaired: `set.snapshots` has them if they are what is restored. */
  repairedIn: readonly string[];
}

/**
 * The clusters of the set, which the host limits to this instance. They are what the record says, whatever the config says now.
 *
 * @throws PG_SNAPSHOT if there is none: nothing would be done, without a sign of it.
 */
function clustersOf(set: SnapshotSet): Captured[] {
  const ours = set.components.filter(({ writer }) => writer !== null);
  if (ours.length === 0) {
    const hint = "Use the name that the writer had in the config when the set was taken: holdstill show.";
    throw new PluginError("PG_SNAPSHOT", `set ${set.id} has no cluster of this writer`, hint);
  }
  return ours.map(({ component, writer }) => {
    const { sidecar, repair } = set.writers.find(({ by }) => by.instance === writer) ?? {};
    return { facts: factsOf(component), sidecarDir: sidecar?.dir, repairedIn: repair?.in ?? [] };
  });
}

function refuseServerOn(dataDir: string): void {
  const server = serverOf(dataDir);
  if (server === undefined) return;
  const message = `a server runs on ${dataDir} (process ${server.pid})`;
  throw new PluginError("PG_RUNNING", message, "Stop it before the restore.");
}

function refuseOther({ dataDir, systemIdentifier }: Facts, found: Control): void {
  if (found.systemIdentifier === systemIdentifier) return;
  const message = `${dataDir} is of cluster ${found.systemIdentifier}, and the set is of ${systemIdentifier}`;
  throw new PluginError("PG_SNAPSHOT", message, "Check what was put there.");
}

/** The repair gave it one after the captured server's, which another restore, or a promotion, may have used since. */
async function beginUnusedTimeline(
  folder: Folder,
  facts: Facts,
  control: Control,
  ctx: Context<Options>,
): Promise<void> {
  const known = knownTimeline(ctx.dataDir, facts.systemIdentifier);
  const isUnused = known === undefined || control.timeline > known;
  const timeline = isUnused
    ? control.timeline
    : await promote(folder, facts, { from: control.timeline, to: known }, ctx);
  noteTimeline(ctx.dataDir, facts.systemIdentifier, timeline);
}

/** Archive recovery to a target (manual, "Recovery Target"). What is written here wins over postgresql.conf. */
function setRecoveryTarget(
  folder: Folder,
  dataDir: string,
  state: Control["state"],
  { command, ...targets }: RestoreTo,
): void {
  if (state === "shut down") throw notTheBase(dataDir);
  const lines = [
    setting("restore_command", command),
    ...Object.entries(targets).map(([kind, value]) => setting(`recovery_target_${kind}`, value)),
    setting("recovery_target_action", "promote"),
  ];
  forgetRecovery(folder);
  folder.write(settingsFile, "append", lines.join(""));
  folder.write("recovery.signal", "create", "");
}

const settingsFile = "postgresql.auto.conf";

/** Far more than ALTER SYSTEM writes, bytes. */
const mostSettings = 1024 * 1024;

/** An earlier recovery, or another tool, may have left its target there: a server refuses two of different kinds. */
function forgetRecovery(folder: Folder): void {
  if (folder.kind(settingsFile) === "none") return;
  const lines = folder.read(settingsFile, mostSettings).toString().split("\n");
  const kept = lines.filter((line) => !/^\s*(restore_command|recovery_target\w*)\b/i.test(line));
  const written = `${settingsFile}.holdstill`;
  folder.remove(written);
  folder.write(written, "create", kept.join("\n"));
  folder.rename(written, settingsFile);
}

function notTheBase(what: string): PluginError {
  const message = `${what} was repaired, and cannot be the base for a point in time, which restoreTo asks for`;
  return new PluginError(
    "PG_SNAPSHOT",
    message,
    "Restore what was cut, not its repaired fork: holdstill restore --as-cut.",
  );
}

function setting(name: string, value: string): string {
  return `${name} = '${value.replaceAll("'", "''")}'\n`;
}
