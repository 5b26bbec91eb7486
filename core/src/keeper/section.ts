import type { CommitOp, HoldTarget, Volume } from "../base/schema/types.js";

/** One critical section as data: hold all targets, run the operations, release. */
export interface SectionPlan {
  readonly targets: readonly HoldTarget[];
  /**
   * Run in this order while everything is held. If one of them is `plugin`, which is the host's, the keeper holds until the core
   * requests the release. Otherwise it releases as soon as the last one is done.
   */
  readonly ops: readonly CommitOp[];
  /** From the first hold asked to the last release, ms. The keeper enforces it by its own clock. */
  readonly limitMs: number;
  /** Allows volumes that carry `/`, holdstill itself or its state: these are held last and released first. */
  readonly includeRoot: boolean;
  /** As planned: a target that is the mount point of one of these must still carry that file system. */
  readonly volumes?: readonly Volume[];
}

/**
 * Why the keeper released: everything was done, the core requested it, the core's pipe ended, the core was silent for a second, the
 * limit was reached, or a hold or an operation failed.
 */
export type ReleaseReason = "done" | "requested" | "eof" | "silence" | "deadline" | "failed";

/** Times are ms of CLOCK_MONOTONIC, so they can be compared with `process.hrtime` of every process. */
export interface TargetReport {
  target: HoldTarget;
  /** null: it was never held. */
  heldAt: number | null;
  /** null: it was not held, or has not been released yet; `problem` has the reason. */
  releasedAt: number | null;
  /** The kernel confirmed at release that the hold was in force. False also if it was never held. */
  inForce: boolean;
  problem?: string;
}

export interface SectionReport {
  targets: TargetReport[];
  /** From the first hold asked to the last release confirmed, ms: how long I/O had to wait at most. 0: no hold was asked. */
  heldMs: number;
  reason: ReleaseReason;
}

/** Name of a target for a person: the mount point, or the device-mapper name. */
export const targetName = (target: HoldTarget): string => (target.kind === "fs" ? target.mount : target.name);
