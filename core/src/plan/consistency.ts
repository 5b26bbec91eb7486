import type { Consistency } from "../schema/types.js";

const ranks: readonly Consistency[] = ["none", "crash", "filesystem", "application"];

export const isBelow = (a: Consistency, b: Consistency): boolean => ranks.indexOf(a) < ranks.indexOf(b);

/** A set is as consistent as the least consistent thing in it. */
export function lowest(all: Iterable<Consistency>): Consistency {
  let low: Consistency = "application";
  for (const one of all) if (isBelow(one, low)) low = one;
  return low;
}
