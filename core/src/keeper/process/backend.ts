import type { Mount } from "../../os/mounts.js";
import type { KernelOp } from "../../base/schema/commit-ops.js";
import type { ArmTarget } from "../wire.js";

/** `busy`: another process holds it. */
export type HoldAttempt = { type: "held" } | { type: "busy" } | { type: "refused"; reason: string };
/** `lapsed`: the hold was no longer in force. */
export type ReleaseAttempt = { type: "released" } | { type: "lapsed" } | { type: "stuck"; reason: string };

/** A target made ready: its descriptors are open and its identity is verified. */
export interface TargetHandle {
  /** How the target has changed since it was opened; null: it has not. */
  check(mounts: readonly Mount[]): string | null;
  /** Writes out dirty data, so that the hold has less to do. A failure does not matter. */
  flush(): Promise<unknown>;
  hold(): Promise<HoldAttempt>;
  /** Called only after hold() has returned `held`: a hold of another process is never touched. */
  release(): Promise<ReleaseAttempt>;
}

/** One operation of the commit, made ready. */
export interface ReadyOp {
  readonly name: string;
  /** Why it failed; null: done. */
  run(): Promise<string | null>;
}

/** What carries out holds and operations: the kernel (backend-ioctl.ts), or nothing, to warm up (warm-up.ts). */
export interface Backend {
  /** @throws TargetFault when the target is not what the plan has, or cannot be opened. */
  open(target: ArmTarget): Promise<TargetHandle>;
  /** @throws TargetFault when something that the operation needs cannot be opened. */
  ready(op: KernelOp): ReadyOp;
}

/** A target or an operation cannot be made ready; nothing was held yet. */
export class TargetFault extends Error {
  override readonly name = "TargetFault";
  /** Of the target in the request; null if the fault concerns an operation or the whole request. */
  readonly index: number | null;

  constructor(message: string, index: number | null = null) {
    super(message);
    this.index = index;
  }
}

/** Name of an operation for a person: dm-message vg0-pool. */
export function opName(op: KernelOp): string {
  return `${op.op} ${op.op === "btrfs-snapshot" ? `${op.folder}/${op.name}` : op.device}`;
}
