/** How a program is run, for the core itself and for plugins (`ctx.exec`). */
export interface ExecOptions {
  /** Default: that of the host, which may be any folder. */
  cwd?: string;
  /** For its stdin, which is empty by default. */
  input?: string;
  /** In addition to PATH, HOME, LANG and `LC_ALL=C`. */
  env?: Record<string, string>;
  /** Ends the program and its group after this time, ms. Then the result has no exit code. The call's deadline applies in any case. */
  limitMs?: number;
  /**
   * What happens to processes that the program leaves running in its group. end (default): they end with it. keep: they continue
   * until the plugin's worker ends. leave: they are never ended. With the last two, the result has only the last 64 KiB of the output.
   */
  leftovers?: "end" | "keep" | "leave";
  /**
   * Absolute paths that the program can write to, in addition to devices. Everything else is read-only for it, in its own mount
   * namespace, as suits a server that repairs a snapshot. Exit code 125 means that this failed. If the host may not mount, nothing is
   * read-only, and the log has a warning.
   */
  writable?: readonly string[];
  /**
   * background: other programs come first, on the processors (nice 10) and on the disk (best-effort 7, which only some schedulers
   * respect; ioprio_set(2)), as suits a repair that runs while the application does. Default: as the host.
   */
  priority?: "background";
}

/** A program that ended. A non-zero exit code is a result, not an exception. */
export interface ExecResult {
  /** null if a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}
