import path from "node:path";
import type { LastTime, PastTransaction, RecordedOutcome, Usual } from "../base/schema/types.js";
import { validateOpenly } from "../base/schema/validate.js";
import { RotatedLines } from "./rotated-lines.js";
import { asStateError, type StateDir } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";

/** `history.jsonl`: how the last transactions ended, also those that failed. The oldest are dropped. */
export class History {
  readonly #file: RotatedLines;
  readonly #state: StateDir;
  readonly #gate: WriteGate;
  #known: { version: string; past: PastTransaction[] } = { version: "", past: [] };

  constructor(state: StateDir, gate: WriteGate) {
    this.#state = state;
    this.#file = new RotatedLines(path.join(state.root, "history.jsonl"));
    this.#gate = gate;
  }

  /** If the disk cannot take the line, only the line is lost. */
  async append(past: PastTransaction): Promise<void> {
    await this.#gate.write(() => {
      try {
        this.#file.append(lineOf(past));
      } catch {
        // The events and the set's record report the same.
      }
    });
  }

  /** Adds the result of the backup to a transaction, as another line of it. */
  async complete(id: string, backup: RecordedOutcome): Promise<void> {
    const past = this.read().findLast((one) => one.id === id);
    if (past !== undefined) await this.append({ ...past, backup });
  }

  /**
   * Oldest first; of a transaction with several lines, the last one counts. Skips lines that are not valid, such as one that a
   * crash cut short.
   *
   * @throws HoldstillError E_STATE_DIR if this user may not read it.
   */
  read(): PastTransaction[] {
    return asStateError(this.#state, () => {
      const { version, lines } = this.#file.read();
      if (version !== this.#known.version) this.#known = { version, past: lastLines(lines().flatMap(parse)) };
      return [...this.#known.past];
    });
  }
}

/** The most characters of a text, and of a line, in the history: plugins and requesters choose them. */
const longest = { text: 2000, line: 64 * 1024 };

function lineOf(past: PastTransaction): string {
  const line = JSON.stringify(past, shortened);
  if (line.length <= longest.line) return line;
  const { cause, targets } = past;
  const short = { ...past, targets: targets.slice(0, 10), timeline: [] };
  return JSON.stringify(cause === undefined ? short : { ...short, cause: { ...cause, details: {} } }, shortened);
}

const shortened = (_: string, value: unknown): unknown =>
  typeof value === "string" && value.length > longest.text ? `${value.slice(0, longest.text - 1)}…` : value;

function parse(line: string): PastTransaction[] {
  try {
    const checked = validateOpenly("history", JSON.parse(line), "history.jsonl");
    return checked.ok ? [checked.value] : [];
  } catch {
    return [];
  }
}

/** Of each writer that ever took part, by its instance. */
export function lastTimes(past: readonly PastTransaction[]): Map<string, LastTime> {
  const last = new Map<string, LastTime>();
  for (const { at, timeline } of past) {
    for (const freeze of timeline.filter(({ op }) => op === "freeze")) {
      const own = timeline.filter(({ actor }) => actor === freeze.actor);
      const failed = own.find(({ outcome }) => outcome === "failed");
      const end = own.findLast(({ op }) => op === "thaw" || op === "abort");
      last.set(freeze.actor, {
        at,
        result: failed === undefined ? "frozen" : "failed",
        frozenMs: end === undefined || freeze.outcome === "failed" ? null : end.to - freeze.from,
        reason: failed?.reason ?? null,
      });
    }
  }
  return last;
}

/** Older runs say little: the data has grown meanwhile. */
const runsThatCount = 20;

/** What is to be expected of these plugins, in the order of the calls; nothing of one that never took part. */
export function usualTimes(past: readonly PastTransaction[], actors: readonly string[]): Usual[] {
  return (["freeze", "commit"] as const).flatMap((op) =>
    actors.flatMap((actor): Usual[] => {
      const runs = past
        .flatMap(({ timeline }) => {
          const call = timeline.find((span) => span.op === op && span.actor === actor);
          return call === undefined ? [] : [{ call, timeline }];
        })
        .slice(-runsThatCount);
      const last = runs.at(-1);
      if (last === undefined) return [];
      const good = runs.filter(({ call }) => call.outcome === "ok");
      const took = good.map(({ call }) => call.to - call.from);
      const still = good.flatMap(({ call, timeline }) => {
        const thaw = timeline.findLast((span) => span.op === "thaw" && span.actor === actor);
        return op === "freeze" && thaw?.outcome === "ok" ? [thaw.to - call.from] : [];
      });
      return [
        {
          actor,
          op,
          runs: runs.length,
          failed: runs.length - good.length,
          medianMs: median(took),
          maxMs: took.length === 0 ? null : Math.max(...took),
          limitMs: last.call.limitMs,
          stillMs: median(still),
        },
      ];
    }),
  );
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

function lastLines(lines: readonly PastTransaction[]): PastTransaction[] {
  return [...new Map(lines.map((past, at) => [past.id ?? at, past])).values()];
}
