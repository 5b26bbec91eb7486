import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Ended } from "../../engine/types.js";
import { attend, type Seen } from "../live/live-session.js";
import { type Call, command } from "../parse/command.js";
import { Misuse } from "../parse/usage-error.js";
import { errLook, outLook, print, printDocument, tell } from "../terminal/output.js";
import { faultLines } from "../render/fault.js";
import { summaryLines } from "../render/set.js";
import { timelineLines } from "../render/timeline.js";
import { requestOf, setOptions, targets, targetsAbout } from "../parse/request.js";

export const create = command({
  usage: "TARGET… [--lease-fd N] [--require LEVEL] [--name NAME] [--tag KEY=VALUE]…",
  about: `Takes a snapshot set of all targets, or undoes everything. Whether the pictures are of one instant is the cut that plan shows: atomic is, fuzzy is not. ${targetsAbout} With --lease-fd the set is removed by the next create, run, hold or recover after the last process has closed the descriptor, or has died. With --quiet only the set's id is printed.`,
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
    const attendance = attend(call);
    const { seen, signal, onEvent } = attendance;
    try {
      const watching = { onEvent, signal };
      // A descriptor is this process's own.
      const ended =
        fd === null
          ? await (await call.reach("workers")).create(request, watching)
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
  throw new Misuse(
    `--lease-fd: \`${text}\` is no descriptor that was handed down.`,
    "Write --lease-fd=9, after `exec 9>FILE`.",
  );
}

function show(ended: Ended, seen: Seen, { form, quiet }: Call): void {
  if (form === "stream") return;
  if (form === "json") {
    printDocument("create", ended);
    return;
  }
  const { set, error, residue } = ended;
  if (quiet) print(set === null ? [] : [set.id]);
  else print(endLines(ended, seen));
  if (error !== null) tell(faultLines(error, errLook()));
  const transaction = set?.id ?? seen.transaction;
  if (residue.length > 0)
    tell(faultLines(toFault(new HoldstillError("E_RESIDUE", { transaction, residue })), errLook()));
  if (ended.outcome === "degraded" && set !== null) tell([`holdstill: ${degraded(set)}`]);
}

function endLines({ set, timeline, outcome }: Ended, { spans, transaction }: Seen): string[] {
  const look = outLook();
  const summary =
    set === null
      ? [`${look.paint("red", `✗ ${outcome}`)}: transaction ${transaction}; there is no set`]
      : summaryLines(set, look);
  return [...summary, "", ...timelineLines(timeline.length > 0 ? timeline : spans.all(), look)];
}

const degraded = ({ consistency, asked }: NonNullable<Ended["set"]>): string =>
  `The set was made, but with consistency ${consistency}; asked was ${asked}.`;
