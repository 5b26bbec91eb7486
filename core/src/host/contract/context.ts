import type { Component, Cut } from "../../base/schema/types.js";
import type { ExecOptions, ExecResult } from "../../os/exec/options.js";

/** What the host gives a plugin with every call. */
export interface Context<Options = Record<string, unknown>> {
  /** The instance's config block, checked against the manifest's schema, defaults filled in. */
  readonly options: Options;
  /** Fires when the host gives up on this call: the deadline passed, or the transaction aborts. Stop, and leave nothing behind. */
  readonly signal: AbortSignal;
  /** When the host gives up on this call: ms since the epoch, by the clock as it stands now. What is left of the call is `deadline - Date.now()`, also after the clock was set. */
  readonly deadline: number;
  /** A folder of this instance's own, mode 0700, that lives as long as the installation. All workers of the instance have the same. */
  readonly dataDir: string;
  readonly log: Log;
  /** Tells whoever watches how far a long call is. Together with `log` at most 200 times a second; more is dropped. */
  progress(message: string, done?: number, total?: number): void;
  /**
   * Runs a program that the manifest's `requires.commands` names, or one by its absolute path where the manifest has
   * `requires.programs`. The host owns the process, and its process group ends with the call, with the worker and with the host,
   * however these end. Rejects with a `code` of E_EXEC_DENIED, E_EXEC_MISSING or E_EXEC_UNTRUSTED, and when it writes more than 16 MiB.
   */
  exec(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

/** Goes to the events and the log. Secrets of the options are taken out. What is longer than 8192 characters is cut. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What a plugin is told of the transaction that it takes part in. */
export interface Transaction {
  /** The set's id. */
  readonly id: string;
  /** How the volumes, a writer's own, will be captured: it may hold still less for an atomic cut than for a fuzzy one. */
  readonly cut: Cut;
}

/** A transaction as a writer sees it. */
export interface WriterTransaction extends Transaction {
  /** Those of the writer's components that are captured. */
  readonly components: readonly Component[];
  /** An empty folder for files that belong to the set: write them in `seal` at the latest. */
  readonly sidecarDir: string;
}
