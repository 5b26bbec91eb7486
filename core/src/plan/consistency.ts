import type { Consistency } from "../base/schema/types.js";

const ranks: readonly Consistency[] = ["none", "crash", "filesystem", "application"];

export const isLowerConsistency = (a: Consistency, b: Consistency): boolean => ranks.indexOf(a) < ranks.indexOf(b);

/** A set has the lowest consistency of its components. A set without components is not consistent. */
export function lowestConsistency(all: Iterable<Consistency>): Consistency {
  let low: Consistency | null = null;
  for (const one of all) if (low === null || isLowerConsistency(one, low)) low = one;
  return low ?? "none";
}
