/** How a program is run, for the core itself and for plugins (`ctx.exec`). */
export interface ExecOptions {
  /** The working directory. Default: that of the host, which may be any folder. */
  cwd?: string;
  /** What the program reads from stdin. Default: nothing. */
  input?: string;
  /** Environment variables beside PATH, HOME, LANG, and `LC_ALL=C`. */
  env?: Record<string, string>;
  /** Ends the program and its group after this time, ms. The result then has no exit code. The call's deadline also applies. */
  limitMs?: number;
  /**
   * What happens to the processes that the program leaves running in its group. `end`, the default: they end with the
   * program. `keep`: they run until the plugin's worker ends. `leave`: they keep running. With `keep` and `leave`, the
   * result has the last 64 KiB of the output.
   */
  leftovers?: "end" | "keep" | "leave";
  /**
   * Absolute paths: beside devices, the program can write only to these, and to what is mounted below them. It sees
   * everything else read-only, in its own mount namespace. This suits a server that repairs a snapshot. An exit code of
   * 125 means that the namespace could not be made. If the host has no right to mount, nothing is read-only, and the log
   * shows that.
   */
  writable?: readonly string[];
  /**
   * `background`: the program yields to others. It has half their weight for the processors (nice 3), and a low priority
   * for the disk (best-effort 7, which only some schedulers respect; ioprio_set(2)). This suits a repair beside the
   * running application. Default: as the host.
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
