import { toFault } from "../../../base/errors/error.js";
import { exit } from "../../../base/errors/exit.js";
import type { SnapshotSet } from "../../../base/schema/types.js";
import type { SnapshotRequest } from "../../../plan/plan.js";
import { startLiveSession } from "../../live/live-session.js";
import type { CommandCall } from "../../parse/command.js";
import { UsageError } from "../../parse/usage-error.js";
import { faultLines } from "../../render/fault.js";
import { exposedLines } from "../../render/set.js";
import { print, printDocument, printError, stderrStyle, stdoutStyle } from "../../terminal/output.js";
import { exitOf } from "../../terminal/report-error.js";
import { printWarning } from "./usage.js";

/** `create --lease-stdin`: prints the set when it is taken, and removes it when stdin ends. */
export async function createUntilStdinEnds(
  request: SnapshotRequest,
  contents: "exposed" | "unexposed",
  call: CommandCall,
): Promise<number> {
  if (call.form === "stream")
    throw new UsageError("--lease-stdin does not support --json=stream.", "Write --json: it prints the set.");
  const session = startLiveSession(call);
  const { signal, onEvent } = session;
  let isShown = false;
  const lasts = (set: SnapshotSet): Promise<void> => {
    session.quiet();
    isShown = true;
    show(set, call);
    return stdinEnds(signal);
  };
  try {
    const engine = await call.connect("workers");
    const { error, set, exitCode } = await engine.hold(
      request,
      { contents, lasts },
      { onEvent, signal, onWarning: (warning) => printWarning(warning, call) },
    );
    session.quiet();
    if (error !== null && set === null && call.form === "json") printDocument("error", { error });
    else if (error !== null) printError(faultLines(error, stderrStyle()));
    return set !== null && signal.aborted ? exit.interrupted : exitCode;
  } catch (error) {
    // The one document is out.
    if (!isShown || call.form !== "json") throw error;
    const fault = toFault(error);
    printError(faultLines(fault, stderrStyle()));
    return exitOf(fault);
  } finally {
    session.end();
    // If the set was lost, stdin may still be open, and would keep this process alive.
    process.stdin.destroy();
  }
}

function show(set: SnapshotSet, { form, quiet }: CommandCall): void {
  if (form === "json") printDocument("create", set);
  else print([set.id, ...exposedLines(set, stdoutStyle())]);
  if (form === "text" && !quiet && process.stdin.isTTY) printError(["holdstill: press Ctrl-D to remove the set"]);
}

function stdinEnds(signal: AbortSignal): Promise<void> {
  const { stdin } = process;
  return new Promise((resolve) => {
    const end = (): void => {
      stdin.destroy();
      resolve();
    };
    stdin.once("end", end).once("error", end).once("close", end).resume();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}
