import type {
  CriticalSection,
  Difference,
  Exposed,
  FileSystemVolume,
  Listed,
  Place,
  Snapshot,
  Support,
  Volume,
} from "../../base/schema/types.js";
import type { Context, Transaction } from "./context.js";

/**
 * A storage's side of a transaction: the default export of a plugin of kind `provider`.
 *
 * Storage that cannot be looked at now is not storage without snapshots. `list`, `expose`, `unexpose`, and `remove` then
 * throw an error with the code `UNREACHABLE`, and the host claims nothing of the snapshots there.
 *
 * A provider gets volumes of the kinds that `volumes` of its manifest names, which are file systems by default. In
 * TypeScript, one that also captures raw block devices is a `Provider<Options, Volume>`.
 */
export interface Provider<Options = Record<string, unknown>, Captured extends Volume = FileSystemVolume> {
  /**
   * Returns what this provider can do for the volume, or null if it cannot capture it. It must not change anything. The
   * host may call it for several volumes at once.
   */
  match(volume: Captured, ctx: Context<Options>): Promise<Support>;
  /**
   * Does everything slow: it checks the space, and makes snapshot volumes in advance. It returns what the kernel is to
   * hold, and the steps of the commit.
   */
  prepare(tx: Transaction, volumes: readonly Captured[], ctx: Context<Options>): Promise<CriticalSection>;
  /** Takes the snapshots. It is called only if the critical section contains `{ op: "plugin" }`. */
  commit?(tx: Transaction, ctx: Context<Options>): Promise<void>;
  /** Finishes the snapshots, and returns one for each volume of `prepare`. At this time all volumes are released. */
  seal(tx: Transaction, ctx: Context<Options>): Promise<Snapshot[]>;
  /**
   * Removes everything that this transaction made. It is idempotent: it may be called twice, at any time, in a new worker.
   */
  abort(tx: Transaction, ctx: Context<Options>): Promise<void>;
  /**
   * Returns the snapshots that really exist in the storage: `recover` compares them with the catalog, and a snapshot that is
   * not among them is lost. If a part of the storage cannot be looked at, the result is a partial list; if none of it can,
   * the call throws `UNREACHABLE`.
   */
  list(ctx: Context<Options>): Promise<Listed>;
  /**
   * Makes the contents of the snapshot readable. A second call with the same view returns the same result. The snapshot of
   * a raw block device is a block device, of which the host then sets the owner and the mode.
   */
  expose(snapshot: Snapshot, view: View, ctx: Context<Options>): Promise<Exposed>;
  /**
   * Ends every exposure of the snapshot. It is idempotent. If it cannot see whether there is one, it throws `UNREACHABLE`.
   * The host calls it before `remove`. If it fails, the snapshot is not removed, and the user gets its error.
   */
  unexpose(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  /**
   * Removes the snapshot. It is idempotent: if the snapshot does not exist, the call succeeds. If the storage that it was in
   * cannot be looked at, it throws `UNREACHABLE`: a snapshot that is not seen may still exist.
   */
  remove(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  /**
   * Makes a second, writable snapshot in the same set, with the id of the first as its `of`. A writer repairs it, and the
   * first one stays as it was cut.
   */
  fork?(snapshot: Snapshot, ctx: Context<Options>): Promise<Snapshot>;
  /**
   * Takes a snapshot of the current data before a revert. It belongs to the set `tx.id`, is complete when the call returns,
   * and is removed by `abort`.
   *
   * If the original is in use, it throws as `revert` does. If there is not enough space, it throws an error with code
   * `NO_SAFETY`, and the revert continues without this snapshot.
   */
  preserve?(snapshot: Snapshot, tx: Transaction, ctx: Context<Options>): Promise<Snapshot>;
  /**
   * Puts the captured data back in place of the current data, as whole volumes. It is called after `beforeRestore` of every
   * writer of the set has succeeded. If the revert uses up the snapshot, `list` no longer returns it.
   */
  revert?(snapshot: Snapshot, ctx: Context<Options>): Promise<void>;
  /**
   * Returns which parts of a volume changed from an older snapshot to a newer one, both of this instance and of the same
   * volume. A part may be named that did not change, but none that did may be missing.
   */
  diff?(from: Snapshot, to: Snapshot, ctx: Context<Options>): Promise<Difference>;
  /**
   * Makes an empty place for each volume of a set that another host has taken, instead of `prepare` and `commit`. The
   * volumes are those of that host. This host fills the places. `seal` of the same transaction then finishes the
   * snapshots, and `abort` removes everything.
   */
  receive?(tx: Transaction, volumes: readonly Captured[], ctx: Context<Options>): Promise<Place[]>;
}

/** How a snapshot is to be exposed. */
export interface View {
  /**
   * `read-only`: the contents cannot change. `scratch`: the contents are writable, and unexpose discards what was written.
   * `writable`: the snapshot itself is writable, and what is written stays. The result has the actual access, as
   * `Exposed.readOnly`.
   */
  readonly access: "read-only" | "scratch" | "writable";
  /**
   * An empty folder of the host, on which a file system may be mounted. After unexpose it is empty again. A raw device does
   * not need it.
   */
  readonly at: string;
}
