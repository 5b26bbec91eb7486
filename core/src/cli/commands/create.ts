import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { TransactionResult } from "../../engine/types.js";
import { startLiveSession, type SeenEvents } from "../live/live-session.js";
import { type CommandCall, command } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { stderrStyle, stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { summaryLines } from "../render/set.js";
import { timelineLines } from "../render/timeline.js";
import { requestOf, setOptions, targets, targetsAbout } from "../parse/request.js";

export const createCommand = command({
  usage: "TARGET… [--lease-fd N] [--require LEVEL] [--name NAME] [--tag KEY=VALUE]…",
  about: `Takes a snapshot set of all targets, or undoes everything. Whether the snapshots are of one instant is the cut that plan shows: atomic is, fuzzy is not. ${targetsAbout} With --lease-fd the set is removed by the next create, run, hold or recover after the last process has closed the descriptor, or has died. With --quiet only the set's id is printed.`,
  operands: targets,
  options: {
    ...setOptions,
    "lease-fd": { type: "text", value: "N", about: "the set lives while this inherited descriptor of a file is open" },
  },
  streams: true,
  examples: [
    {
      line: "holdstill create /srv /var/lib/postgresql",
      does: "one set of both; `holdstill plan` says with which cut",
    },
    { line: "holdstill create writer:pg --require application --name nightly --tag job=7", does: "or nothing" },
    { line: "holdstill create /srv --lease-fd 9", does: "after `exec 9>FILE`: gone with the last who has 9 open" },
    { line: "holdstill create /srv --json=stream", does: "for a program that follows every step" },
  ],
  async run(call) {
    const request = requestOf(call.operands, call.values);
    const fd = descriptorOf(call.values["lease-fd"]);
    const attendance = startLiveSession(call);
    const { seen, signal, onEvent } = attendance;
    try {
      const watching = { onEvent, signal };
      // A descriptor is this process's own.
      const ended =
        fd === null
          ? await (await call.connect("workers")).create(request, watching)
          : await (await call.open("workers")).createLeased(request, fd, watching);
      attendance.end();
      show(ended, seen, call);
      return ended.exitCode;
    } catch (error) {
      // A stream has one `ended`; the engine may have told it.
      if (call.form === "stream" && seen.exitCode !== null) return seen.exitCode;
      throw error;
    } finally {
      attendance.end();
    }
  },
});

function descriptorOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) > 2) return Number(text);
  throw new UsageError(
    `--lease-fd: \`${text}\` is no descriptor that was handed down.`,
    "Write --lease-fd=9, after `exec 9>FILE`.",
  );
}

function show(ended: TransactionResult, seen: SeenEvents, { form, quiet }: CommandCall): void {
  if (form === "stream") return;
  if (form === "json") {
    printDocument("create", ended);
    return;
  }
  const { set, error, residue } = ended;
  if (quiet) print(set === null ? [] : [set.id]);
  else print(endLines(ended, seen));
  if (error !== null) printError(faultLines(error, stderrStyle()));
  const transaction = set?.id ?? seen.transaction;
  if (residue.length > 0)
    printError(faultLines(toFault(new HoldstillError("E_RESIDUE", { transaction, residue })), stderrStyle()));
  if (ended.outcome === "degraded" && set !== null) printError([`holdstill: ${degraded(set)}`]);
}

function endLines({ set, timeline, outcome }: TransactionResult, { spans, transaction }: SeenEvents): string[] {
  const look = stdoutStyle();
  const summary =
    set === null
      ? [`${look.paint("red", `✗ ${outcome}`)}: transaction ${transaction}; there is no set`]
      : summaryLines(set, look);
  return [...summary, "", ...timelineLines(timeline.length > 0 ? timeline : spans.all(), look)];
}

const degraded = ({ consistency, asked }: NonNullable<TransactionResult["set"]>): string =>
  `The set was made, but with consistency ${consistency}; asked was ${asked}.`;
