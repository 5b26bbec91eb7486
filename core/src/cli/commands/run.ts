import { HoldstillError, toFault } from "../../base/errors/error.js";
import { exit } from "../../base/errors/exit.js";
import type { CommandView, RunResult } from "../../engine/lease/run-command.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { startLiveSession } from "../live/live-session.js";
import { type CommandCall, command } from "../parse/command.js";
import { exitOf } from "../terminal/report-error.js";
import { drained } from "../terminal/output-queue.js";
import { stderrStyle, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { printWarning } from "./parts/usage.js";
import { duration } from "../../base/display/units.js";
import { visible } from "../../base/display/visible.js";
import { backupType, requestOf, setOptions, targets, targetsAbout } from "../parse/request.js";

export const runCommand = command({
  usage:
    "TARGET… [--in-place] [--keep] [--type copy|full] [--require LEVEL] [--name NAME] [--tag KEY=VALUE]… -- COMMAND",
  about: `Takes a snapshot set, runs COMMAND with its snapshots, tells the writers whether it succeeded, and removes the set. The snapshots lie read-only below one folder, exposeDir/root (/run/holdstill/root), at their original paths, with the set's record and the writers' files in .holdstill beside them: a backup of that folder has all. They are mounted for COMMAND alone, so nothing can stay mounted. Who may not mount gets them where they are. COMMAND has HOLDSTILL_ROOT, HOLDSTILL_SET (the id) and HOLDSTILL_SET_JSON (the record's file); its exit code is passed on. A set below the asked consistency is removed, and COMMAND not run. ${targetsAbout}`,
  operands: targets,
  trailing: "COMMAND",
  options: {
    ...setOptions,
    "in-place": { type: "flag", about: "COMMAND sees the snapshots at the original paths" },
    keep: { type: "flag", about: "keep the set, whatever comes of COMMAND" },
    type: { type: "text", value: "TYPE", about: "copy (default): logs are left alone. full: their owner may cut them" },
  },
  examples: [
    { line: "holdstill run writer:pg-main -- restic backup /run/holdstill/root", does: "the same paths every night" },
    { line: "holdstill run /srv --in-place -- restic backup /srv", does: "a backup with the original paths" },
    { line: "holdstill run /srv -- sh -c 'tar -C $HOLDSTILL_ROOT -cf /mnt/srv.tar .'", does: "with a shell" },
  ],
  async run(call) {
    const request = requestOf(call.operands, call.values);
    const type = backupType(call.values.type ?? "copy");
    const { "in-place": inPlace, keep } = call.values;
    const attendance = startLiveSession(call);
    const { signal, onEvent } = attendance;
    let since = 0;
    try {
      const requester = await call.connect("workers");
      const ran = await requester.run(
        request,
        {
          command: call.trailing,
          layout: inPlace ? "in-place" : "root",
          afterwards: keep ? "keep" : "delete",
          type,
          stdout: call.form === "text" ? "stdout" : "stderr",
          async onReady(set, place) {
            attendance.quiet();
            say(call, readyLine(set, place));
            await drained();
            since = performance.now();
          },
        },
        { onEvent, signal, onWarning: (warning) => printWarning(warning, call) },
      );
      attendance.quiet();
      show(ran, performance.now() - since, call, keep ? "kept" : "removed");
      return endsWith(ran);
    } finally {
      attendance.end();
    }
  },
});

/** What came of the command, before all; then of the set. */
function endsWith({ ended, command: program, error, left }: RunResult): number {
  if (program !== null && program.exitCode !== 0) return program.exitCode;
  if (error !== null) return exitOf(error);
  return left === null ? ended.exitCode : exit.residue;
}

function readyLine(set: SnapshotSet, { root }: CommandView): string {
  const { id, consistency, exposed = [] } = visible(set);
  const places = exposed.flatMap((one) => one.exposed.trees.map((tree) => tree.path));
  return `set ${id}, ${consistency}, is below ${root ?? places.join(" and ")}`;
}

function show(ran: RunResult, ms: number, call: CommandCall, became: "kept" | "removed"): void {
  if (call.form === "json") {
    printDocument("run", ran);
    return;
  }
  const { ended, command: program, notNotified } = ran;
  const { set } = ended;
  if (program !== null) {
    const how = program.signal === null ? `with ${program.exitCode}` : `by ${program.signal}`;
    say(call, `${call.trailing[0]} ended ${how} after ${duration(ms)}`);
  }
  if (ended.outcome === "degraded" && set !== null)
    printError([
      `holdstill: The set has consistency ${set.consistency}; asked was ${set.asked}. The command was not run.`,
    ]);
  for (const fault of faults(ran)) printError(faultLines(fault, stderrStyle()));
  for (const { error } of notNotified) printError(faultLines(error, stderrStyle()));
  if (set !== null && ran.left === null) say(call, `set ${set.id} is ${became}`);
}

function faults({ ended, error, left }: RunResult): NonNullable<RunResult["error"]>[] {
  const { residue, set } = ended;
  const transaction = set?.id ?? "";
  const broken = residue.length === 0 ? [] : [toFault(new HoldstillError("E_RESIDUE", { transaction, residue }))];
  return [ended.error, error, left, ...broken].filter((fault) => fault !== null);
}

function say({ form, quiet }: CommandCall, text: string): void {
  if (form === "text" && !quiet) printError([`holdstill: ${text}`]);
}
