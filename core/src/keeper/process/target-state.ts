import type { TargetHandle } from "./backend.js";
import type { TargetReport } from "../section.js";
import type { ArmTarget } from "../wire.js";

/** Times are ms of CLOCK_MONOTONIC. `lost`: the hold was not there any more, or (null) it could not be released. */
type TargetState =
  | { at: "idle" }
  | { at: "flushing" }
  | { at: "asked" }
  | { at: "refused"; problem: string }
  | { at: "held" | "releasing"; heldAt: number }
  | { at: "released"; heldAt: number; releasedAt: number }
  | { at: "lost"; heldAt: number; releasedAt: number | null; problem: string };

/** A station, and how far it has come. */
export interface TargetProgress {
  readonly index: number;
  readonly target: ArmTarget;
  readonly handle: TargetHandle;
  state: TargetState;
}

/** The kernel has not answered whether it holds. */
export const isMissing = ({ state: standing }: TargetProgress): boolean =>
  standing.at === "asked" || standing.at === "flushing";

export function reportTarget({ target: { target }, state: standing }: TargetProgress): TargetReport {
  const never = { target, heldAt: null, releasedAt: null, inForce: false };
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
      return { target: target, heldAt: standing.heldAt, releasedAt: standing.releasedAt, inForce: true };
    case "lost":
      return { ...never, heldAt: standing.heldAt, releasedAt: standing.releasedAt, problem: standing.problem };
  }
}
