import type { Mount } from "../../os/mounts.js";
import type { CommitOp } from "../../base/schema/types.js";
import type { BackendName } from "../section.js";
import type { ArmTarget } from "../wire.js";

/** `busy`: somebody else holds it. */
export type HoldAttempt = { is: "held" } | { is: "busy" } | { is: "refused"; reason: string };
/** `lapsed`: the hold was not there any more. */
export type ReleaseAttempt = { is: "released" } | { is: "lapsed" } | { is: "stuck"; reason: string };

/** One station made ready: its descriptors are open, its identity is known. */
export interface TargetHandle {
  /** What is wrong by now with the station's identity; null: nothing. */
  check(mounts: readonly Mount[]): string | null;
  /** Writes out what is dirty, so that the hold has less to do. A failure is no matter. */
  flush(): Promise<unknown>;
  hold(): Promise<HoldAttempt>;
  /** Never called unless hold() has answered `held`: nobody else's hold is touched. */
  release(): Promise<ReleaseAttempt>;
}

/** One that the kernel does with a single call. */
export type KernelOp = Exclude<CommitOp, { op: "plugin" | "parallel" }>;

/** One operation of the commit made ready. */
export interface ReadyOp {
  readonly name: string;
  /** Why it failed; null: done. */
  run(): Promise<string | null>;
}

/** A way to make the kernel do it; chosen before anything is held. */
export interface Backend {
  readonly name: BackendName;
  /** @throws StationFault when the station is not what the plan says, or cannot be opened. */
  open(station: ArmTarget): Promise<TargetHandle>;
  /** @throws StationFault when something that it needs cannot be opened. */
  step(op: KernelOp): ReadyOp;
}

/** Nothing was held yet: the station cannot be got ready. The message completes "cannot be held: …". */
export class TargetFault extends Error {
  override readonly name = "StationFault";
  /** Its index in the order to arm; null where it is about all, or an operation. */
  readonly target: number | null;

  constructor(message: string, station: number | null = null) {
    super(message);
    this.target = station;
  }
}

/** Name of an operation for a person: dm-message vg0-pool. */
export function opName(op: KernelOp): string {
  return `${op.op} ${op.op === "btrfs-snapshot" ? `${op.folder}/${op.name}` : op.device}`;
}
