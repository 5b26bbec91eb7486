import type { SnapshotSet } from "../base/schema/types.js";
import { bySequence } from "./owner.js";

const hour = 3_600_000;
/** A set is recorded up to this long after its cut, by repairs, so that the order of two sets may differ, ms. */
const slowestRecord = 24 * hour;

/** A set whose time is in doubt, and why. */
export interface DoubtfulTime {
  id: string;
  createdAt: string;
  problem: string;
}

/**
 * The sets by whose times others must not be judged: the clock had jumped when they were taken, their time is still to come, or it does
 * not fit the order in which the sets were recorded. Of the last kind these are the fewest without which the others are in order.
 */
export function doubtfulTimes(sets: readonly SnapshotSet[], now: Date): DoubtfulTime[] {
  const ordered = sets.toSorted(bySequence);
  const fitting = longestInOrder(ordered);
  return ordered.flatMap(({ id, createdAt, clockDoubt }): DoubtfulTime[] => {
    const found = (problem: string): DoubtfulTime[] => [{ id, createdAt, problem: `the time ${createdAt} ${problem}` }];
    if (clockDoubt !== undefined) return found(`(expected: ${clockDoubt.expected})`);
    if (Date.parse(createdAt) > now.getTime() + hour) return found("(in the future)");
    return fitting.has(id) ? [] : found("(out of order)");
  });
}

/** The ids of the longest selection whose times do not go back; patience sorting, in n log n steps. */
function longestInOrder(ordered: readonly SnapshotSet[]): Set<string> {
  interface Link {
    readonly id: string;
    readonly at: number;
    readonly before: Link | undefined;
  }
  const ends: Link[] = [];
  let latest = -Infinity;
  for (const { id, createdAt } of ordered) {
    // Within the tolerance, an earlier time counts as the latest one so far.
    const own = Date.parse(createdAt);
    const at = own < latest && own > latest - slowestRecord ? latest : own;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    ends[low] = { id, at, before: ends[low - 1] };
    latest = ends.at(-1)?.at ?? latest;
  }
  const fitting = new Set<string>();
  for (let link = ends.at(-1); link !== undefined; link = link.before) fitting.add(link.id);
  return fitting;
}
