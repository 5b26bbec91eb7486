import type { Component, Cut } from "../../base/schema/types.js";
import type { ExecOptions, ExecResult } from "../../os/exec/options.js";

/** What the host passes to a plugin with every call. */
export interface Context<Options = Record<string, unknown>> {
  /** The instance's block of the config: checked against the manifest's schema, with its defaults filled in. */
  readonly options: Options;
  /**
   * Fires when the host abandons this call, because its deadline has passed or the transaction aborts. Stop then, and leave
   * nothing behind.
   */
  readonly signal: AbortSignal;
  /**
   * When the host abandons this call: ms since the epoch, by the current clock. The time left is `deadline - Date.now()`,
   * also after the clock was set.
   */
  readonly deadline: number;
  /** A folder for this instance alone, mode 0700. It is kept between transactions, and all workers of the instance share it. */
  readonly dataDir: string;
  /** The contract version that the host uses with this plugin: the highest one that both support. */
  readonly protocol: number;
  /** The host's semantic version. */
  readonly host: { readonly version: string };
  readonly log: Log;
  /**
   * Reports the progress of a long call. Together with `log`, at most 200 messages a second are passed on, and the rest are
   * dropped.
   */
  progress(message: string, done?: number, total?: number): void;
  /**
   * Runs a program: one that `requires.commands` or `requires.optionalCommands` of the manifest names, or any by its
   * absolute path if the manifest has `requires.programs`. The host owns the process. Its process group ends with the call,
   * the worker, and the host, however they end.
   *
   * Rejects with the code `E_EXEC_DENIED`, `E_EXEC_MISSING`, or `E_EXEC_UNTRUSTED`. It also rejects if the program writes
   * more than 16 MiB.
   */
  exec(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

/**
 * Writes to the events of the transaction and to the log. The host removes the options' secrets, and truncates a message
 * after 8192 characters.
 */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** The transaction that a plugin takes part in. */
export interface Transaction {
  /** The set's id. */
  readonly id: string;
  /**
   * How the volumes will be captured; for a writer, those of its components. Before an atomic cut a writer may have less to
   * freeze than before a fuzzy one.
   */
  readonly cut: Cut;
  /**
   * What the set is called, for an administrator of the storage. It is in the calls for a new set, and may be absent in
   * `abort`.
   */
  readonly label?: SetLabel;
}

/** How a set is labelled. A property that is not known is absent. */
export interface SetLabel {
  /** At most 128 characters. */
  readonly name?: string;
  /** At most 64, with keys of at most 128 characters and values of at most 1024. */
  readonly tags?: Record<string, string>;
  readonly hostname: string;
  /**
   * Until then holdstill does not delete the set. ISO 8601, UTC. A storage that can lock snapshots may do so. `retain` may
   * change the date later, and the provider is not called then.
   */
  readonly retainUntil?: string;
}

/** A transaction as a writer sees it. */
export interface WriterTransaction extends Transaction {
  /** The writer's components that will be captured. */
  readonly components: readonly Component[];
  /** An empty folder for files that belong to the set. Write them in `seal` at the latest. */
  readonly sidecarDir: string;
}

/** A transaction as `prepare` of a writer sees it. */
export interface PrepareTransaction extends WriterTransaction {
  /** The longest time from the first freeze of the transaction to its last thaw, ms. */
  readonly freezeLimitMs: number;
}

/** A transaction as `freeze` sees it. */
export interface FreezeTransaction extends WriterTransaction {
  /**
   * When the host lets the application continue at the latest: ms since the epoch, by the clock as it is when the call
   * begins. Give it to an application whose lock ends at a time. `ctx.deadline` is only the end of this call.
   */
  readonly freezeDeadline: number;
}
