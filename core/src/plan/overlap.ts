import { isWithin } from "../os/mounts.js";
import type { CapturedPlace } from "./locate.js";

/** A target, and another one that it is captured and restored with. */
export interface PartOfTarget {
  readonly part: string;
  readonly of: string;
}

/**
 * Sorts out targets that lie in another target on the same volume: both are one. What is mounted below a target is on another volume, and
 * stays a target.
 */
export function sortOutParts(
  targets: readonly string[],
  places: readonly CapturedPlace[],
): { whole: string[]; parts: PartOfTarget[] } {
  const placeOf = (target: string): CapturedPlace | undefined => places.find(({ requested }) => requested === target);
  const parts = targets.flatMap((part, at): PartOfTarget[] => {
    const inner = placeOf(part);
    const of = targets.find((other, index) => {
      const outer = placeOf(other);
      if (index === at || inner === undefined || outer === undefined || inner.volume !== outer.volume) return false;
      return inner.original === outer.original ? index < at : isWithin(inner.original, outer.original);
    });
    return of === undefined ? [] : [{ part, of }];
  });
  return { whole: targets.filter((one) => !parts.some(({ part }) => part === one)), parts };
}
