/** What was expected before anything was measured, beside what came of it. */
import { crash, ours as holdstill } from "./recovery-ways.js";
import { median, type Result, short } from "./samples.js";

interface Expectation {
  readonly bench: string;
  readonly what: string;
  readonly expected: string;
  /** undefined: it was not measured in this run. */
  judge(result: Result): Verdict | undefined;
  /** Said where it falls short. */
  readonly because: string;
}

interface Verdict {
  readonly measured: string;
  readonly met: boolean;
}

const floor = (way: string): boolean => way.startsWith("the bare ioctls");

const all: readonly Expectation[] = [
  {
    bench: "hold",
    what: "held, the best shell script ÷ holdstill, from 4 file systems on",
    expected: "≥ 20",
    judge: (result) => ratios(result, several, (way) => way === "the best shell script", atLeast(20)),
    because:
      "the script, too, freezes all at once. What it waits for is one round of RCU grace periods and the start of its processes, and that does not grow with the number as fast as the thawing does",
  },
  {
    bench: "hold",
    what: "held, holdstill ÷ the fastest way of the bare ioctls (RCU expedited, too)",
    expected: "≤ 1.5",
    judge: (result) => ratios(result, () => true, floor, atMost(1.5)),
    because:
      "each call to the kernel is a job of a thread pool, so that one that never comes back holds up neither the deadline nor the others: a thread is woken for each, and another when it has ended. The bare loop waits in its calls, and nobody could abort it",
  },
  {
    bench: "hold",
    what: "held, holdstill ÷ the bare ioctls as the kernel does them unasked",
    expected: "≤ 1.5",
    judge: (result) =>
      ratios(
        result,
        () => true,
        (way) => way === "the bare ioctls, in turn",
        atMost(1.5),
      ),
    because: "",
  },
  {
    bench: "volumes",
    what: "held, the best script ÷ holdstill, from 4 volumes on, in the laboratory",
    expected: "≥ 20",
    judge: (result) => ratios(result, several, (way) => way === "the best script", atLeast(20)),
    because:
      "in this user-mode kernel what suspends, swaps a table or resumes waits for ticks of its clock, 10 ms each, whoever asks for it (in 6.12 for nearly nothing): of all volumes together five to ten",
  },
  {
    bench: "recovery",
    what: "start of the server, crash-consistent ÷ holdstill, at 960 MiB of redo",
    expected: "≥ 20",
    judge: (result) => ratios(result, (of) => of.includes(" 960 MiB"), isCrash, atLeast(20)),
    because:
      "InnoDB replays into its own memory and is ready before it has written anything back, and a clean start reads tables, undo and log files all the same: there is less to win than with PostgreSQL",
  },
  {
    bench: "recovery",
    what: "the same grows with the redo: at 960 MiB ÷ at 256 MiB",
    expected: "> 1",
    judge: growth,
    because: "both ends are read from a cold disk",
  },
  {
    bench: "recovery redo",
    what: "redo on a snapshot of holdstill's",
    expected: "0",
    judge: ({ rows }) =>
      listed(
        rows,
        (row) => row.way === holdstill,
        (ms) => `${short(ms)} MiB`,
        (mib) => mib < 0.1,
      ),
    because: "",
  },
  {
    bench: "recovery stall",
    what: "longest transaction of a client while the snapshot is taken and repaired, holdstill ÷ crash-consistent, watched for as long",
    expected: "≤ 1.5",
    judge: (result) => ratios(result, () => true, isCrash, atMost(1.5)),
    because:
      "the repair replays for much longer than a cut takes, and on the same disk: it stands behind on the processors, but a disk whose scheduler is none heeds no priority",
  },
  {
    bench: "scale",
    what: "frozen with 64 writers ÷ with 1, one of which takes 200 ms",
    expected: "< 2",
    judge({ rows }) {
      const of = (name: string): number => median(rows.find((row) => row.case === name)?.samples ?? []);
      const ratio = of("64 writers") / of("1 writer");
      return Number.isNaN(ratio) ? undefined : { measured: short(ratio), met: ratio < 2 };
    },
    because: "64 threads answer on the processors there are",
  },
];

/** A table in Markdown. */
export function comparison(results: readonly Result[]): string {
  const lines = all.flatMap((one) => {
    const result = results.find(({ bench }) => bench === one.bench);
    const verdict = result === undefined ? undefined : one.judge(result);
    if (verdict === undefined) return [];
    const met = verdict.met ? "yes" : `no: ${one.because}`;
    return [`| ${[one.bench, one.what, one.expected, verdict.measured, met].join(" | ")} |`];
  });
  const head = ["bench", "what", "expected", "measured", "met"];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines].join("\n");
}

type Row = Result["rows"][number];
type Limit = { readonly isMet: (ratio: number) => boolean; readonly ours: "above" | "below" };
const atLeast = (limit: number): Limit => ({ isMet: (ratio) => ratio >= limit, ours: "below" });
const atMost = (limit: number): Limit => ({ isMet: (ratio) => ratio <= limit, ours: "above" });
/** More than one or two volumes. */
const several = (of: string): boolean => Number(/(?:^|, )(\d+) /.exec(of)?.[1]) >= 4;
const isCrash = (way: string): boolean => way === crash;

/** In each case the quickest of the other ways against ours. */
function ratios(
  { rows }: Result,
  among: (of: string) => boolean,
  other: (way: string) => boolean,
  { isMet, ours }: Limit,
): Verdict | undefined {
  const cases = [...new Set(rows.map((row) => row.case))].filter(among);
  const found = cases.map((of) => {
    const medians = (which: (way: string) => boolean): number[] =>
      rows.filter((row) => row.case === of && which(row.way)).map(({ samples }) => median(samples));
    const [mine, best] = [medians((way) => way === holdstill)[0] ?? Number.NaN, Math.min(...medians(other))];
    return { of, ratio: ours === "above" ? mine / best : best / mine };
  });
  if (found.length === 0) return undefined;
  const measured = found.map(({ of, ratio }) => `${short(ratio)} (${of})`).join(", ");
  return { measured, met: found.every(({ ratio }) => isMet(ratio)) };
}

function growth(result: Result): Verdict | undefined {
  const servers = [...new Set(result.rows.map((row) => row.case.split(",")[0] ?? ""))];
  const found = servers.map((server) => {
    const at = (mib: number, way: string): number =>
      median(result.rows.find((row) => row.case === `${server}, ${mib} MiB of redo` && row.way === way)?.samples ?? []);
    const ratio = (mib: number): number => at(mib, crash) / at(mib, holdstill);
    return { server, ratio: ratio(960) / ratio(256) };
  });
  if (found.some(({ ratio }) => Number.isNaN(ratio))) return undefined;
  const measured = found.map(({ server, ratio }) => `${short(ratio)} (${server})`).join(", ");
  return { measured, met: found.every(({ ratio }) => ratio > 1) };
}

function listed(
  rows: readonly Row[],
  which: (row: Row) => boolean,
  show: (value: number) => string,
  isMet: (value: number) => boolean,
): Verdict | undefined {
  const own = rows.filter(which);
  if (own.length === 0) return undefined;
  const measured = own.map((row) => `${show(median(row.samples))} (${row.case})`).join(", ");
  return { measured, met: own.every((row) => row.samples.every(isMet)) };
}
