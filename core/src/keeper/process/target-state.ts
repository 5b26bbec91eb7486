import type { Grip } from "./backend.js";
import type { PointReport } from "../section.js";
import type { Station } from "../wire.js";

/** Times are ms of CLOCK_MONOTONIC. `lost`: the hold was not there any more, or (null) it could not be released. */
type Standing =
  | { at: "idle" }
  | { at: "flushing" }
  | { at: "asked" }
  | { at: "refused"; problem: string }
  | { at: "held" | "releasing"; heldAt: number }
  | { at: "released"; heldAt: number; releasedAt: number }
  | { at: "lost"; heldAt: number; releasedAt: number | null; problem: string };

/** A station, and how far it has come. */
export interface Place {
  readonly index: number;
  readonly station: Station;
  readonly grip: Grip;
  standing: Standing;
}

/** The kernel has not answered whether it holds. */
export const isMissing = ({ standing }: Place): boolean => standing.at === "asked" || standing.at === "flushing";

export function reportOf({ station: { point }, standing }: Place): PointReport {
  const never = { point, heldAt: null, releasedAt: null, inForce: false };
  switch (standing.at) {
    case "idle":
      return { ...never, problem: "it was not asked any more" };
    case "flushing":
      return { ...never, problem: "its data did not reach the disk in time; it was not held" };
    case "asked":
      return { ...never, problem: "it did not come in time; it will be released as soon as it comes" };
    case "refused":
      return { ...never, problem: standing.problem };
    case "held":
    case "releasing":
      return { ...never, heldAt: standing.heldAt, problem: "its release has not come back yet" };
    case "released":
      return { point, heldAt: standing.heldAt, releasedAt: standing.releasedAt, inForce: true };
    case "lost":
      return { ...never, heldAt: standing.heldAt, releasedAt: standing.releasedAt, problem: standing.problem };
  }
}
