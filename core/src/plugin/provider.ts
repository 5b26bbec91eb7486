import type { CriticalSection, Exposed, Snapshot, Support, Volume } from "../schema/types.js";
import type { Context, Transaction } from "./context.js";

/** A storage's side of a transaction. The default export of a plugin of kind `provider`. */
export interface Provider<Options = Record<string, unknown>> {
  /** What this provider can do for the volume; null is "not mine". No side effects. */
  match(volume: Volume, ctx: Context<Options>): Promise<Support>;
  /** Everything slow: space check, pre-created snapshot volumes. Answers what is to be held, and what is to be done meanwhile. */
  prepare(tx: Transaction, volumes: readonly Volume[], ctx: Context<Options>): Promise<CriticalSection>;
  /** Takes the picture; called only where the critical section contains `{ op: "plugin" }`. */
  commit?(tx: Transaction, ctx: Context<Options>): Promise<void>;
  /** Finishes the snapshots and describes them. */
  seal(tx: Transaction, ctx: Context<Options>): Promise<Snapshot[]>;
  /** Removes whatever this transaction made. Idempotent: may come twice, at any time, in a blank worker. */
  abort(tx: Transaction, ctx: Context<Options>): Promise<void>;
  /** What really exists, without our catalog: recovery compares the two. */
  list(ctx: Context<Options>): Promise<Snapshot[]>;
  expose(snapshot: Snapshot, ctx: Context<Options>): Promise<Exposed>;
  conceal(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  /** Idempotent: a snapshot that is gone already is a success. */
  remove(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  revert?(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
}
