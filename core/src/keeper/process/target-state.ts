import type { ReleaseAttempt, TargetHandle } from "./backend.js";
import type { TargetReport } from "../section.js";
import type { ArmTarget } from "../wire.js";

/** Times are ms of CLOCK_MONOTONIC. `lost`: the hold was no longer in force, or (null) it could not be released. */
type TargetState =
  | { type: "idle" }
  | { type: "flushing" }
  | { type: "asked" }
  | { type: "refused"; problem: string }
  | { type: "held" | "releasing"; heldAt: number }
  | { type: "released"; heldAt: number; releasedAt: number }
  | { type: "lost"; heldAt: number; releasedAt: number | null; problem: string };

/** A target and its state. */
export interface TargetProgress {
  readonly index: number;
  readonly target: ArmTarget;
  readonly handle: TargetHandle;
  state: TargetState;
}

/** The kernel has not answered whether it holds. */
export const isMissing = ({ state }: TargetProgress): boolean => state.type === "asked" || state.type === "flushing";

/** The state of a target that was held, after the attempt to release it. */
export function releasedState(attempt: ReleaseAttempt, heldAt: number, releasedAt: number): TargetState {
  switch (attempt.type) {
    case "released":
      return { type: "released", heldAt, releasedAt };
    case "lapsed":
      return { type: "lost", heldAt, releasedAt, problem: "another process has released it" };
    case "stuck":
      return { type: "lost", heldAt, releasedAt: null, problem: `the kernel does not release it: ${attempt.reason}` };
  }
}

export function reportTarget({ target: { target }, state }: TargetProgress): TargetReport {
  const never = { target, heldAt: null, releasedAt: null, inForce: false };
  switch (state.type) {
    case "idle":
      return { ...never, problem: "the section ended before it was its turn" };
    case "flushing":
      return { ...never, problem: "its data did not reach the disk in time; it was not held" };
    case "asked":
      return { ...never, problem: "the kernel did not hold it in time; it is released as soon as the kernel does" };
    case "refused":
      return { ...never, problem: state.problem };
    case "held":
    case "releasing":
      return { ...never, heldAt: state.heldAt, problem: "the kernel has not confirmed its release yet" };
    case "released":
      return { target, heldAt: state.heldAt, releasedAt: state.releasedAt, inForce: true };
    case "lost":
      return { ...never, heldAt: state.heldAt, releasedAt: state.releasedAt, problem: state.problem };
  }
}
