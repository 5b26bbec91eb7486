import type { Consistency } from "../base/schema/types.js";

const ranks: readonly Consistency[] = ["none", "crash", "filesystem", "application"];

export const isLowerConsistency = (a: Consistency, b: Consistency): boolean => ranks.indexOf(a) < ranks.indexOf(b);

/** A set is as consistent as the least consistent thing in it; one with nothing in it is not consistent. */
export function lowestConsistency(all: Iterable<Consistency>): Consistency {
  let low: Consistency | null = null;
  for (const one of all) if (low === null || isLowerConsistency(one, low)) low = one;
  return low ?? "none";
}
