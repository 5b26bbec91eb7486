import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Context, SnapshotSet } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import { factsOf, type Facts } from "./facts.js";
import { PluginError } from "./errors.js";
import { Folder } from "./folder.js";
import { readControl } from "./control.js";
import { applySidecar } from "./apply-sidecar.js";
import type { Options, RestoreTo } from "./options.js";

/** Refuses while a server runs on the data directory that is to be replaced. */
export function refuseRunning(set: SnapshotSet, ctx: Context<Options>): void {
  for (const { facts } of clustersOf(set, ctx)) {
    const { dataDir } = facts;
    const pid = serverOn(dataDir);
    if (pid === undefined) continue;
    throw new PluginError("PG_RUNNING", `a server runs on ${dataDir} (process ${pid})`, "Stop it before the restore.");
  }
}

/**
 * Makes a data directory that was put back startable: label and WAL of a fuzzy copy, links to the original places of the
 * tablespaces, and on request the settings for a point in time.
 */
export function makeStartable(set: SnapshotSet, ctx: Context<Options>): void {
  refuseRunning(set, ctx);
  for (const { facts, sidecarDir } of clustersOf(set, ctx)) {
    const { dataDir, tablespaces } = facts;
    const folder = Folder.open(dataDir);
    try {
      const { state } = readControl(folder.at("global/pg_control"));
      folder.remove("postmaster.pid");
      const links = folder.folder("pg_tblspc");
      for (const { oid, location } of tablespaces) links.link(String(oid), location);
      links.close();
      if (state === "in use" && sidecarDir !== undefined) applySidecar(sidecarDir, folder);
      if (ctx.options.restoreTo !== undefined) setRecoveryTarget(folder, dataDir, state, ctx.options.restoreTo);
    } finally {
      folder.close();
    }
  }
}

interface Captured {
  facts: Facts;
  sidecarDir: string | undefined;
}

/** The captured clusters of this instance: of the server that it is configured for. */
function clustersOf(set: SnapshotSet, { options }: Context<Options>): Captured[] {
  const ours = set.components.filter(({ component }) => {
    const { host, port, systemIdentifier } = component.facts ?? {};
    return systemIdentifier !== undefined && host === options.host && port === options.port;
  });
  return ours.map(({ component, writer }) => ({
    facts: factsOf(component),
    sidecarDir: set.writers.find(({ by }) => by.instance === writer)?.sidecar?.dir,
  }));
}

/** The process that postmaster.pid names, if it lives. */
function serverOn(dataDir: string): number | undefined {
  const file = path.join(dataDir, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return codeOf(error) === "ESRCH" ? undefined : pid;
  }
}

/** Archive recovery to a target (manual, "Recovery Target"). What is written here wins over postgresql.conf. */
function setRecoveryTarget(folder: Folder, dataDir: string, state: string, { command, ...targets }: RestoreTo): void {
  if (state === "shut down") {
    const hint = "Restore the snapshot that it is a fork of.";
    throw new PluginError("PG_SNAPSHOT", `${dataDir} was repaired, and cannot be the base for a point in time`, hint);
  }
  const lines = [
    setting("restore_command", command),
    ...Object.entries(targets).map(([kind, value]) => setting(`recovery_target_${kind}`, value)),
    setting("recovery_target_action", "promote"),
  ];
  folder.write("postgresql.auto.conf", "append", lines.join(""));
  folder.write("recovery.signal", "create", "");
}

function setting(name: string, value: string): string {
  return `${name} = '${value.replaceAll("'", "''")}'\n`;
}
