/** How a program is run, for the core itself and for plugins (`ctx.exec`). */
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
   * own, as is fit for a server that repairs a snapshot. An exit code of 125 says that this failed. Where the host may not mount,
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
