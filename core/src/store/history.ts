import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { LastTime, PastTransaction, Usual } from "../base/schema/types.js";
import { validate } from "../base/schema/validate.js";
import { appendLine } from "./line-file.js";
import type { StateDir } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";

/** `history.jsonl`: how each transaction ended, also those that failed. */
export class History {
  readonly #file: string;
  readonly #gate: WriteGate;

  constructor({ root }: StateDir, gate: WriteGate) {
    this.#file = path.join(root, "history.jsonl");
    this.#gate = gate;
  }

  /** If the disk cannot take the line, only the line is lost. */
  async append(past: PastTransaction): Promise<void> {
    await this.#gate.write(() => {
      try {
        appendLine(this.#file, JSON.stringify(past));
      } catch {
        // The events and the set's record report the same.
      }
    });
  }

  /** Oldest first. Skips lines that are not valid, such as one that a crash cut short. */
  read(): PastTransaction[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, "utf8").split("\n").flatMap(parse);
  }
}

function parse(line: string): PastTransaction[] {
  try {
    const checked = validate("history", JSON.parse(line), "history.jsonl");
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
