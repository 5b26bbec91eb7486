/** What keeps a process that this one starts from outliving it, however this one ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { closedPipe } from "../libc.js";

/** The program's end of the pipe. */
const PARENT_FD = 3;

/**
 * Waits in the program's process group for the end of the pipe, and then kills the group. It is not a child of the program, which
 * may wait for all its children. A line on the pipe dismisses it. It ignores SIGTERM: it must last until the others have ended.
 */
const groupScript = `
( ( trap "" TERM; read -r _ <&${PARENT_FD} || kill -KILL 0 ) </dev/null >/dev/null 2>&1 & )
exec ${PARENT_FD}<&-
unset PWD OLDPWD
exec "$@"
`;

/**
 * For a program that is about to start, with all that it starts: when this process ends, the kernel closes its end of a pipe, and the
 * program's group is killed. It is in force before the program begins.
 */
export class DieWithParentPipe {
  /** To be inherited by the program as PARENT_FD. */
  readonly fd: number;
  readonly #ours: number;
  #isClosed = false;

  constructor() {
    const { read, write } = closedPipe();
    [this.fd, this.#ours] = [read, write];
  }

  /** The command line that starts the program this way. */
  static wrap(command: string, args: readonly string[]): [string, string[]] {
    return ["/bin/sh", ["-c", groupScript, "sh", command, ...args]];
  }

  /** What is left of the group may outlive this process. */
  letGo(): void {
    writeSync(this.#ours, "\n");
  }

  /** Ends what is left of the group, unless it was let go. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.fd);
    closeSync(this.#ours);
  }
}

/** Kills the process when the pipe ends; a line on the pipe reports that the process has ended. */
const processScript = `trap "" TERM INT HUP; read -r _ || kill -KILL "$1"`;

/** For a process that runs already. A guard kills it from outside, because a process that spins does not notice that its parent is gone. */
export function dieWithParent(child: ChildProcess): void {
  const guard = spawn("/bin/sh", ["-c", processScript, "sh", String(child.pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // It was ended from outside, or could not start: then the process is unguarded.
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  guard.unref();
  child.once("exit", () => guard.stdin.end("\n"));
}
