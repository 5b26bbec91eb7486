import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Fault, Span } from "../../base/schema/types.js";
import type { TransactionResult } from "../../engine/types.js";
import { type EventSummary, startLiveSession } from "../live/live-session.js";
import { type CommandCall, command } from "../parse/command.js";
import { requestOf, setOptions, targets, targetsAbout } from "../parse/request.js";
import { dateOf } from "../parse/time-span.js";
import { UsageError } from "../parse/usage-error.js";
import { faultLines } from "../render/fault.js";
import { summaryLines } from "../render/set.js";
import { timelineLines } from "../render/timeline.js";
import { print, printDocument, printError, stderrStyle, stdoutStyle } from "../terminal/output.js";
import { createOverHosts } from "./parts/cluster-set.js";
import { createUntilStdinEnds } from "./parts/stdin-lease.js";

export const createCommand = command({
  about: `Takes a snapshot set of all targets, or undoes everything. \`holdstill plan\` shows whether the snapshots share one instant. ${targetsAbout}

With --lease-fd N, the set lives while a process has the inherited file descriptor N open. The next create, run, or recover removes it.

With --lease-stdin, the set lives while stdin is open: create prints the set when it is taken, and waits. It removes the set when stdin ends, or at a signal. If it is killed, the service removes the set within 30 s, or the next create, run, or recover does.`,
  operands: targets,
  options: {
    ...setOptions,
    "lease-fd": { type: "text", value: "N", about: "keep the set while this file descriptor is open" },
    "lease-stdin": { type: "flag", about: "keep the set while stdin is open" },
    "retain-until": { type: "text", value: "DATE", about: "protect the set from deletion, as `retain` does" },
    expose: { type: "flag", about: "with --lease-stdin: make the contents readable, and print where" },
    cluster: {
      type: "flag",
      about: "one set over several hosts: each TARGET is HOST=TARGET, or one is the name of a group of the config",
    },
  },
  groups: [{ need: "at-most-one", options: ["lease-fd", "lease-stdin", "retain-until", "cluster"] }],
  streams: true,
  examples: [
    { line: "holdstill create /srv /var/lib/postgresql", does: "one set of both" },
    {
      line: "holdstill create writer:pg --require application --name nightly --tag job=7",
      does: "fails if the database would not be consistent",
    },
    { line: "holdstill create /srv --lease-fd 9", does: "after `exec 9>FILE`: until the last process closes 9" },
    { line: "holdstill create /srv --lease-stdin --expose", does: "on a terminal: until Ctrl-D" },
    {
      line: "holdstill create --cluster app1=writer:pg app2=writer:maria app3=/srv",
      does: "one set over three hosts, of one instant; see docs/cluster.md",
    },
    { line: "holdstill create /srv --json=stream", does: "one JSON line for each event" },
  ],
  async run(call) {
    const { "lease-fd": leaseFd, "lease-stdin": leaseStdin, "retain-until": retain, expose, cluster } = call.values;
    const asked = requestOf(call.operands, call.values);
    const request =
      retain === undefined ? asked : { ...asked, retainUntil: dateOf(retain, "--retain-until").toISOString() };
    if (leaseStdin) return createUntilStdinEnds(request, expose ? "exposed" : "unexposed", call);
    if (cluster && !expose) return createOverHosts(request, call);
    if (expose)
      throw new UsageError("--expose requires --lease-stdin.", "To expose another set, run `holdstill expose`.");
    const fd = leaseFd === undefined ? null : descriptorOf(leaseFd);
    const session = startLiveSession(call);
    const { summary, signal, onEvent } = session;
    try {
      const watcher = { onEvent, signal };
      // The service cannot use a file descriptor of this process, and does not retain sets.
      const here = fd !== null || retain !== undefined;
      const ended =
        fd === null
          ? await (await (here ? call.open("create") : call.connect("create"))).create(request, watcher)
          : await (await call.open("create")).createLeased(request, fd, watcher);
      session.end();
      show(ended, summary, call);
      return ended.exitCode;
    } catch (error) {
      // A stream has one `ended`, which the engine may have sent already.
      if (call.form === "stream" && summary.exitCode !== null) return summary.exitCode;
      throw error;
    } finally {
      session.end();
    }
  },
});

function descriptorOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) > 2) return Number(text);
  throw new UsageError(
    `--lease-fd: \`${text}\` is not an inherited file descriptor.`,
    "Write --lease-fd=9, after `exec 9>FILE`.",
  );
}

function show(ended: TransactionResult, summary: EventSummary, { form, quiet }: CommandCall): void {
  if (form === "stream") return;
  if (form === "json") {
    printDocument("create", ended);
    return;
  }
  const { set, error, residue } = ended;
  if (quiet) print(set === null ? [] : [set.id]);
  else print(endLines(ended, summary));
  if (error !== null) printError(faultLines(error, stderrStyle()));
  const transaction = set?.id ?? summary.transaction;
  if (residue.length > 0)
    printError(faultLines(toFault(new HoldstillError("E_RESIDUE", { transaction, residue })), stderrStyle()));
  if (ended.outcome === "degraded" && set !== null) printError([`holdstill: ${degraded(set)}`]);
}

function endLines(
  { set, timeline, outcome, error }: TransactionResult,
  { spans, transaction }: EventSummary,
): string[] {
  const style = stdoutStyle();
  const calls = (timeline.length > 0 ? timeline : spans.all()).map((span) => withoutReason(span, error));
  const summary =
    set === null
      ? [`${style.paint("red", `✗ ${outcome}`)}: transaction ${transaction}; there is no set`]
      : summaryLines(set, style);
  return [...summary, "", ...timelineLines(calls, style)];
}

/** The reason of the whole is printed below, with its hint. */
function withoutReason({ reason, ...span }: Span, error: Fault | null): Span {
  return reason === undefined || reason === error?.message ? span : { ...span, reason };
}

const degraded = ({ consistency, asked }: NonNullable<TransactionResult["set"]>): string =>
  `The set has consistency ${consistency}, but ${asked} was asked for.`;
