import type { Context } from "holdstill/plugin";
import { leastBuffersMb } from "./buffers.js";
import { readControl } from "./control.js";
import { PluginError } from "./errors.js";
import type { Facts } from "./facts.js";
import type { Folder } from "./folder.js";
import type { Options } from "./options.js";
import { beginTimeline, leaveOwnWal } from "./own-timeline.js";
import { withoutOwnSettings } from "./own-settings.js";
import { Programs } from "./programs.js";
import { settings, usualWalSegmentBytes } from "./settings.js";

/**
 * Starts a single-user server on a cluster that was shut down, and stops it: the cluster is then on a timeline after `to`.
 *
 * @returns The timeline.
 */
export async function promote(
  folder: Folder,
  facts: Facts,
  { from, to }: { from: number; to: number },
  ctx: Context<Options>,
): Promise<number> {
  const { dataDir } = facts;
  const places = [{ original: dataDir, place: dataDir }];
  const programs = await Programs.of({ facts, folder, dataDir, owner: folder.owner, places }, ctx);
  const taken = Array.from({ length: to - from }, (_, index) => from + 1 + index);
  const own = settings(facts, ctx.options.repairMemoryMb ?? leastBuffersMb, {
    ...beginTimeline(folder, taken),
    hba_file: "/dev/null",
  });
  const args = ["--single", "-D", dataDir, ...own, "template1"];
  const { exitCode, stderr } = await withoutOwnSettings(folder, async () => await programs.run("postgres", args));
  folder.remove("recovery.signal");
  const control = readControl(folder.at("global/pg_control"));
  if (exitCode !== 0 || control.state !== "shut down" || control.timeline <= to) {
    const message = `timelines up to ${to} are used, and ${dataDir} could not be given another: ${stderr.trim().split("\n").slice(-3).join("; ")}`;
    const hint = "Start the server with recovery.signal and a restore_command that reads the archive; see the README.";
    throw new PluginError("PG_RECOVERY", message, hint);
  }
  const archiving = facts.archiver.mode === "off" ? "off" : "on";
  leaveOwnWal(facts.walDir, folder.owner, control, facts.walSegmentBytes ?? usualWalSegmentBytes, archiving);
  return control.timeline;
}
