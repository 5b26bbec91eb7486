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
import { requestOf, setOptions, targets, targetsAbout, typeOption } from "../parse/request.js";

export const runCommand = command({
  about: `Takes a snapshot set, runs COMMAND on its contents, notifies the writers whether COMMAND succeeded, and removes the set. ${targetsAbout}

The contents are mounted read-only below one folder, exposeDir/root (/run/holdstill/root), at their original paths. The folder .holdstill in it has the record of the set and the files of the writers. The mounts are visible only to COMMAND. Without the right to mount, COMMAND reads the snapshots where the provider exposes them.

The snapshot of a raw block device is a block device. HOLDSTILL_DEVICES has one line for each, with its path, in the order of the record. COMMAND also has HOLDSTILL_ROOT, HOLDSTILL_SET (the id), and HOLDSTILL_SET_JSON (the file with the record) in its environment. If COMMAND fails, run exits with its exit code. If the set is below the promised consistency, it is removed, and COMMAND is not run.`,
  operands: targets,
  trailing: "COMMAND",
  options: {
    ...setOptions,
    "in-place": { type: "flag", about: "COMMAND sees the contents at the original paths" },
    "as-cut": {
      type: "flag",
      about: "COMMAND sees the snapshots as they were cut, not as their writers repaired them",
    },
    keep: { type: "flag", about: "keep the set, whatever COMMAND returns" },
    type: typeOption,
  },
  examples: [
    { line: "holdstill run writer:pg-main -- restic backup /run/holdstill/root", does: "the same paths in each run" },
    { line: "holdstill run /srv --in-place -- restic backup /srv", does: "a backup with the original paths" },
    { line: "holdstill run vg0/vm1 -- sh -c 'dd if=$HOLDSTILL_DEVICES of=/mnt/vm1'", does: "a raw device" },
    { line: "holdstill run /srv -- sh -c 'tar -C $HOLDSTILL_ROOT -cf /mnt/srv.tar .'", does: "runs a shell" },
  ],
  async run(call) {
    const asked = requestOf(call.operands, call.values);
    const { "in-place": inPlace, "as-cut": asCut, keep, type = "copy" } = call.values;
    // A set that is deleted afterwards needs no repair that COMMAND does not see.
    const request = asCut && !keep ? { repair: "never" as const, ...asked } : asked;
    const session = startLiveSession(call);
    const { signal, onEvent } = session;
    let since = 0;
    try {
      const engine = await call.connect("workers");
      const ran = await engine.run(
        request,
        {
          command: call.trailing,
          layout: inPlace ? "in-place" : "root",
          contents: asCut ? "as-cut" : "repaired",
          afterwards: keep ? "keep" : "delete",
          type,
          stdout: call.form === "text" ? "stdout" : "stderr",
          async onReady(set, view) {
            session.quiet();
            note(call, readyLine(set, view));
            await drained();
            since = performance.now();
          },
        },
        { onEvent, signal, onWarning: (warning) => printWarning(warning, call) },
      );
      session.quiet();
      show(ran, performance.now() - since, call, keep ? "kept" : "removed");
      return exitCodeOf(ran);
    } finally {
      session.end();
    }
  },
});

/** The command's failure comes first, then that of the set. */
function exitCodeOf({ ended, command: program, error, left }: RunResult): number {
  if (program !== null && program.exitCode !== 0) return program.exitCode;
  // After the command, it is a lost snapshot: the contents were not what was promised.
  if (error !== null) return program === null ? exitOf(error) : exit.degraded;
  return left === null ? ended.exitCode : exit.residue;
}

function readyLine(set: SnapshotSet, { root, devices }: CommandView): string {
  const { id, consistency, exposed = [] } = visible(set);
  const trees = exposed.flatMap((one) => one.exposed.trees.map((tree) => tree.path));
  const below = trees.length === 0 ? [] : [`below ${root ?? trees.join(" and ")}`];
  const on = devices.length === 0 ? [] : [`on ${visible(devices).join(" and ")}`];
  return `set ${id}, ${consistency}, is ${[...below, ...on].join(", and ")}`;
}

function show(ran: RunResult, ms: number, call: CommandCall, fate: "kept" | "removed"): void {
  if (call.form === "json") {
    printDocument("run", ran);
    return;
  }
  const { ended, command: program, notNotified } = ran;
  const { set } = ended;
  if (program !== null) {
    const how = program.signal === null ? `ended with ${program.exitCode}` : `was ended by ${program.signal}`;
    note(call, `${call.trailing[0]} ${how} after ${duration(ms)}`);
  }
  // No timeline has the reason.
  for (const { by, state, reason } of set?.writers ?? [])
    if (reason !== undefined) note(call, `warning: ${by.instance} is ${state}: ${reason}`);
  if (ended.outcome === "degraded" && set !== null)
    printError([
      `holdstill: The set has consistency ${set.consistency}, but ${set.asked} was asked for. The command was not run.`,
    ]);
  for (const fault of faults(ran)) printError(faultLines(fault, stderrStyle()));
  for (const { error } of notNotified) printError(faultLines(error, stderrStyle()));
  if (set !== null && ran.left === null) note(call, `set ${set.id} is ${fate}`);
}

function faults({ ended, error, left }: RunResult): NonNullable<RunResult["error"]>[] {
  const { residue, set } = ended;
  const transaction = set?.id ?? "";
  const broken = residue.length === 0 ? [] : [toFault(new HoldstillError("E_RESIDUE", { transaction, residue }))];
  return [ended.error, error, left, ...broken].filter((fault) => fault !== null);
}

function note({ form, quiet }: CommandCall, text: string): void {
  if (form === "text" && !quiet) printError([`holdstill: ${text}`]);
}
