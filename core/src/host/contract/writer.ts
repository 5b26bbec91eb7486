import type {
  Component,
  Exposed,
  FreezeToken,
  Report,
  Sidecar,
  SnapshotSet,
  ThawReport,
} from "../../base/schema/types.js";
import type { Context, WriterTransaction } from "./context.js";

/**
 * An application's side of a transaction. The default export of a plugin of kind `writer`.
 *
 * One worker serves one transaction: what a module keeps in its variables between `prepare` and `seal` (a database session,
 * say) lives as long. After a fault the host starts a blank worker for `abort`; then only `token` tells what was done.
 * The calls of a transaction come one after another; another transaction may run at the same time in another process.
 */
export interface Writer<Options = Record<string, unknown>> {
  /** What the application owns. No side effects: it is called by `plan` too. */
  identify(ctx: Context<Options>): Promise<Component[]>;
  /** Slow work before the freeze: a checkpoint, a connection. */
  prepare?(tx: WriterTransaction, ctx: Context<Options>): Promise<void>;
  /** Holds the application still, as far as `tx.cut` demands. What it returns comes back with `thaw` and `abort`. */
  freeze(tx: WriterTransaction, ctx: Context<Options>): Promise<FreezeToken>;
  /**
   * Lets the application go on, and tells whether it was held without a gap. An error, or no answer in time, counts as not held:
   * abort comes then.
   */
  thaw(tx: WriterTransaction, token: FreezeToken, ctx: Context<Options>): Promise<ThawReport>;
  /**
   * Writes what belongs to the set into `tx.sidecarDir`. The application is running again, and the volumes' snapshots are there. The
   * host brings the files to disk and reads them once, in what is left of the limit.
   */
  seal?(tx: WriterTransaction, ctx: Context<Options>): Promise<Sidecar>;
  /** The backup made from the set is done. The only place where logs may be truncated, and only for `type: "full"`. */
  complete?(set: SnapshotSet, outcome: BackupOutcome, ctx: Context<Options>): Promise<void>;
  /**
   * Undoes whatever this transaction did, and thaws. Idempotent: may come twice, at any time, in a blank worker, and after
   * a call that was cut off. `token` is null when no freeze was answered.
   */
  abort(tx: WriterTransaction, token: FreezeToken | null, ctx: Context<Options>): Promise<void>;
  /**
   * The data of `set` are about to be replaced where they were. Throws unless the application is down, or has let go of them; a
   * writer without this method is taken for one that cannot say so, and its data are not restored in place.
   */
  beforeRestore?(set: SnapshotSet, ctx: Context<Options>): Promise<void>;
  /** The data of `set` are in place again: what the application needs before it is started. An error is reported; nothing is undone. */
  afterRestore?(set: SnapshotSet, ctx: Context<Options>): Promise<void>;
  /** Repairs the snapshot, which is writable, so that it opens at once. Asked after `seal` for components that say `recovery`. */
  repair?(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<Report>;
  /** Starts the application on the snapshot and looks. What it writes there is thrown away. */
  verify?(tx: WriterTransaction, exposed: Exposed, ctx: Context<Options>): Promise<Report>;
}

/** What the requester says of the backup that it made from a set. */
export interface BackupOutcome {
  succeeded: boolean;
  /** full: the backup is the one by which logs may be truncated. copy, the default: it changes nothing of that. */
  type: "copy" | "full";
}
