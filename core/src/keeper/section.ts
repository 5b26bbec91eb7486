import type { CommitOp, HoldTarget, Volume } from "../base/schema/types.js";

/** What is to be done in one critical section: hold all points, do the operations, release. */
export interface SectionPlan {
  readonly targets: readonly HoldTarget[];
  /** Done in this order while everything is held. Where one is `plugin`, which is the host's, its word is waited for; else all is released at once. */
  readonly ops: readonly CommitOp[];
  /** From the first hold asked to the last release, ms. The keeper keeps it by a clock of its own. */
  readonly limitMs: number;
  /** Allows what carries `/`, holdstill itself or its state: it is held last and released first. */
  readonly includeRoot: boolean;
  /** As planned: a point on the mount point of one of these must still carry that file system. */
  readonly volumes?: readonly Volume[];
}

/** How the kernel is asked: by ioctl, or by `fsfreeze` and `dmsetup` where koffi cannot be loaded. */
export type BackendName = "ioctl" | "commands";

/** Why the keeper released: all was done, told to, the core's pipe ended, the core said nothing for a second, the limit was reached, or a hold failed. */
export type ReleaseReason = "done" | "word" | "eof" | "silence" | "deadline" | "failed";

/** Times are ms of CLOCK_MONOTONIC, so they can be compared with `process.hrtime` of every process. */
export interface TargetReport {
  target: HoldTarget;
  /** null: it was never held. */
  heldAt: number | null;
  /** null: it was not held, or has not been released yet; `problem` says why. */
  releasedAt: number | null;
  /** The kernel confirmed at release that the hold was there. False also where it was never held. */
  inForce: boolean;
  problem?: string;
}

export interface SectionReport {
  by: BackendName;
  targets: TargetReport[];
  /** From the first hold asked to the last release answered, ms: what I/O had to wait at most. 0: nothing was asked. */
  heldMs: number;
  reason: ReleaseReason;
}

/** Name of a point for a person: the mount point, or the device-mapper name. */
export const targetName = (point: HoldTarget): string => (point.kind === "fs" ? point.mount : point.name);
