import type { Component, Cut } from "../../base/schema/types.js";

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

export interface ExecOptions {
  /** Default: that of the host, which may be anywhere. */
  cwd?: string;
  /** For its stdin; without it that is empty. */
  input?: string;
  /** Beside PATH, HOME, LANG and `LC_ALL=C`. */
  env?: Record<string, string>;
  /** Ends the program, with its group, after this time, ms: the answer has no exit code then. The call's deadline holds anyway. */
  limitMs?: number;
  /**
   * What becomes of processes that the program leaves running in its group. end (default): they end with it. keep: they run on
   * until the plugin's worker ends. leave: they run on for good. Of the output of the last two the last 64 KiB are answered.
   */
  leftovers?: "end" | "keep" | "leave";
  /**
   * Absolute paths: all that the program can write to, beside devices. It sees everything else read-only, in a mount namespace of its
   * own, as is fit for a server that repairs a picture. An exit code of 125 says that this failed. Where the host may not mount,
   * nothing is read-only, and the log says so.
   */
  writable?: readonly string[];
  /**
   * background: what the machine is for comes first, on the processors (nice 10) and on the disk (best-effort 7, which only some
   * schedulers heed; ioprio_set(2)), as is fit for a repair that takes its time beside the application. Default: as the host.
   */
  priority?: "background";
}

/** A program that ended. A non-zero exit code is an answer, not an exception. */
export interface ExecResult {
  /** null when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
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
