import type {
  Component,
  Exposed,
  FreezeToken,
  Report,
  Sidecar,
  SnapshotSet,
  ThawReport,
  VerifyReport,
} from "../../base/schema/types.js";
import type { Context, FreezeTransaction, PrepareTransaction, WriterTransaction } from "./context.js";

/**
 * An application's side of a transaction: the default export of a plugin of kind `writer`.
 *
 * One worker serves one transaction. Module variables, such as a database session, live from `prepare` to `seal`. After a
 * fault, the host starts a new worker for `abort`. That worker knows nothing but `token`.
 *
 * The calls of a transaction come one after the other. Another transaction may run at the same time in another process.
 */
export interface Writer<Options = Record<string, unknown>> {
  /** Returns what the application owns. It must not change anything, because every `plan` calls it. */
  identify(ctx: Context<Options>): Promise<Component[]>;
  /** Does the slow work before the freeze, such as a connection or a checkpoint. */
  prepare?(tx: PrepareTransaction, ctx: Context<Options>): Promise<void>;
  /**
   * Stops the application from changing its data, as far as `tx.cut` requires it. The host passes the result to `thaw` and
   * `abort`.
   */
  freeze(tx: FreezeTransaction, ctx: Context<Options>): Promise<FreezeToken>;
  /**
   * Lets the application continue, and reports whether the freeze was uninterrupted. If it throws or misses its deadline,
   * the host treats the freeze as lost, and calls `abort`.
   */
  thaw(tx: WriterTransaction, token: FreezeToken, ctx: Context<Options>): Promise<ThawReport>;
  /**
   * Writes the files that belong to the set to `tx.sidecarDir`. At this time the application is running again, and the
   * snapshots exist. Within the same deadline, the host syncs the files to disk and reads each once.
   */
  seal?(tx: WriterTransaction, ctx: Context<Options>): Promise<Sidecar>;
  /**
   * Is called after the backup from the set has ended. Only here may a writer truncate logs, and only for `type: "full"`.
   */
  complete?(set: SnapshotSet, outcome: BackupOutcome, ctx: Context<Options>): Promise<void>;
  /**
   * Undoes everything that this transaction did, and thaws. It is idempotent: it may be called twice, at any time, in a new
   * worker, and after a call that was cut off. `token` is null if no freeze returned one.
   */
  abort(tx: WriterTransaction, token: FreezeToken | null, ctx: Context<Options>): Promise<void>;
  /**
   * Is called before the data of `set` are replaced in place. `set` has the components of this instance alone. It must throw
   * unless the application is down or has released the data, and if it recognizes none of the components. Without this
   * method, the host does not restore the data in place.
   */
  beforeRestore?(set: SnapshotSet, ctx: Context<Options>): Promise<void>;
  /**
   * Is called when the data of `set` are in place again. `set` has the components of this writer alone. It does what the
   * application needs before it is started; without this method, nothing is missing. An error is reported, and nothing is
   * undone.
   */
  afterRestore?(set: SnapshotSet, ctx: Context<Options>): Promise<void>;
  /**
   * Repairs the writable contents in `exposed`, so that the application opens them at once. It is called after `seal`, or
   * long after it, for components with `repair`.
   */
  repair?(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<Report>;
  /**
   * Starts the application on the contents in `exposed`, and checks them. What it writes there is discarded. Only damage of
   * the contents is `does-not-open`. If it throws, the host records `not-examined`.
   */
  verify?(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<VerifyReport>;
}

/** How the backup from a set ended, as the requester reports it. */
export interface BackupOutcome {
  succeeded: boolean;
  /** `full`: the application may truncate its logs after this backup. `copy`, the default: its logs stay unchanged. */
  type: "copy" | "full";
}
