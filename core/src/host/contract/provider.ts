import type { CriticalSection, Exposed, Snapshot, Support, Volume } from "../../base/schema/types.js";
import type { Context, Transaction } from "./context.js";

/** A storage's side of a transaction. The default export of a plugin of kind `provider`. */
export interface Provider<Options = Record<string, unknown>> {
  /** What this provider can do for the volume; null is "not mine". No side effects. Several volumes may be asked for at once. */
  match(volume: Volume, ctx: Context<Options>): Promise<Support>;
  /** Everything slow: space check, pre-created snapshot volumes. Answers what is to be held, and what is to be done meanwhile. */
  prepare(tx: Transaction, volumes: readonly Volume[], ctx: Context<Options>): Promise<CriticalSection>;
  /** Takes the snapshot; called only where the critical section contains `{ op: "plugin" }`. */
  commit?(tx: Transaction, ctx: Context<Options>): Promise<void>;
  /** Finishes the snapshots and describes them: one for each volume of `prepare`. Nothing is held any more. */
  seal(tx: Transaction, ctx: Context<Options>): Promise<Snapshot[]>;
  /** Removes whatever this transaction made. Idempotent: may come twice, at any time, in a blank worker. */
  abort(tx: Transaction, ctx: Context<Options>): Promise<void>;
  /** What really exists, without our catalog: recovery compares the two. */
  list(ctx: Context<Options>): Promise<Snapshot[]>;
  /** Makes the snapshot readable. Asked again in the same way, it answers the same. */
  expose(snapshot: Snapshot, view: View, ctx: Context<Options>): Promise<Exposed>;
  /** Ends every exposure of the snapshot. Idempotent. */
  unexpose(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  /** Idempotent: a snapshot that is gone already is a success. */
  remove(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  /**
   * Makes a second, writable snapshot in the same set, with the first one's id as its `of`. A writer repairs it, and the first
   * stays as it was cut.
   */
  fork?(snapshot: Snapshot, ctx: Context<Options>): Promise<Snapshot>;
  /**
   * Takes a snapshot of what is in place of the captured data now, before a revert: one of the set `tx.id`, whole when it is
   * answered, and removed by abort. Refuses where revert would, because the original is in use; with code NO_SAFETY where there is no
   * room for it: then the revert goes on without.
   */
  preserve?(snapshot: Snapshot, tx: Transaction, ctx: Context<Options>): Promise<Snapshot>;
  /**
   * Puts the captured data back in place of the original's, whole volumes. Asked after every writer of the set has agreed by
   * `beforeRestore`. It may use the snapshot up: then list does not have it any more.
   */
  revert?(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
}

/** How a snapshot is to be shown. */
export interface View {
  /**
   * read-only: nothing may change it. scratch: writable, and what was written is gone with unexpose. writable: the snapshot itself;
   * what is written stays. `Exposed.readOnly` tells what came of it.
   */
  readonly access: "read-only" | "scratch" | "writable";
  /** An empty folder of the host's that a file system may be mounted on; unexpose leaves it empty again. */
  readonly at: string;
}
