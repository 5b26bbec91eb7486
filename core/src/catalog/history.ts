import { appendFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { PastTransaction } from "../schema/types.js";
import { validate } from "../schema/validate.js";
import type { StateDir } from "./state.js";

const fileOf = ({ root }: StateDir): string => path.join(root, "history.jsonl");

/** A disk that cannot take the line costs the line, and nothing else. */
export function remember(state: StateDir, past: PastTransaction): void {
  try {
    appendFileSync(fileOf(state), `${JSON.stringify(past)}\n`, { mode: 0o600 });
  } catch {
    // What happened is told by the events, and by the set's record.
  }
}

/** Oldest first. A line that is none, as one that a crash cut short, is passed over. */
export function readHistory(state: StateDir): PastTransaction[] {
  const file = fileOf(state);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").flatMap(parse);
}

function parse(line: string): PastTransaction[] {
  try {
    const checked = validate("history", JSON.parse(line), "history.jsonl");
    return checked.ok ? [checked.value] : [];
  } catch {
    return [];
  }
}

/** What a writer did when it was last asked. */
export interface LastTime {
  at: string;
  result: "held" | "failed";
  /** From the request to freeze to the thaw's answer, ms; null: it never froze. */
  frozenMs: number | null;
  why: string | null;
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
        result: failed === undefined ? "held" : "failed",
        frozenMs: end === undefined || freeze.outcome === "failed" ? null : end.to - freeze.from,
        why: failed?.why ?? null,
      });
    }
  }
  return last;
}
