import { toFault } from "../../base/errors/error.js";
import { exit } from "../../base/errors/exit.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { startLiveSession } from "../live/live-session.js";
import { type CommandCall, command } from "../parse/command.js";
import { exitOf } from "../terminal/report-error.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { printWarning } from "./parts/usage.js";
import { faultLines } from "../render/fault.js";
import { exposedLines } from "../render/set.js";
import { requestOf, setOptions, targets, targetsAbout } from "../parse/request.js";

export const holdCommand = command({
  usage: "TARGET… [--expose] [--require LEVEL] [--name NAME] [--tag KEY=VALUE]…",
  about: `Takes a snapshot set that lives no longer than whoever asked for it: it is removed when stdin ends, at a signal, and, if holdstill itself is killed, by the service within 30 s or, without one, by the next create, run, hold or recover. The set's id, or with --json the set, comes on stdout as soon as it is there. ${targetsAbout}`,
  operands: targets,
  options: { ...setOptions, expose: { type: "flag", about: "make it readable, and print where" } },
  examples: [
    { line: "holdstill hold /srv --expose", does: "on a terminal: until Ctrl-D" },
    { line: "holdstill hold writer:pg --expose --json", does: "for a backup tool, on a pipe that it keeps open" },
  ],
  async run(call) {
    const request = requestOf(call.operands, call.values);
    const attendance = startLiveSession(call);
    const { signal, onEvent } = attendance;
    let isShown = false;
    const lasts = (set: SnapshotSet): Promise<void> => {
      attendance.quiet();
      isShown = true;
      show(set, call);
      return stdinEnds(signal);
    };
    try {
      const requester = await call.connect("workers");
      const pictures = call.values.expose ? "exposed" : "unexposed";
      const { error, set, exitCode } = await requester.hold(
        request,
        { pictures, lasts },
        {
          onEvent,
          signal,
          onWarning: (warning) => printWarning(warning, call),
        },
      );
      attendance.quiet();
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
      attendance.end();
      // Where the set was lost before it has ended nothing else would let this process end.
      process.stdin.destroy();
    }
  },
});

function show(set: SnapshotSet, { form, quiet }: CommandCall): void {
  if (form === "json") printDocument("hold", set);
  else print([set.id, ...exposedLines(set, stdoutStyle())]);
  if (form === "text" && !quiet && process.stdin.isTTY) printError(["holdstill: the set lives until Ctrl-D"]);
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
