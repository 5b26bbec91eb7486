import { closeSync, writeSync } from "node:fs";
import { closedPipe } from "../libc.js";

/** The program's end of the pipe. */
export const PARENT_FD = 3;

/**
 * Waits in the program's process group for the end of the pipe, and takes the group with it. As nobody's child: the program may
 * wait for its own. A line lets go. SIGTERM is for the others: until they have ended it must hold.
 */
const script = `
( ( trap "" TERM; read -r _ <&${PARENT_FD} || kill -KILL 0 ) </dev/null >/dev/null 2>&1 & )
exec ${PARENT_FD}<&-
unset PWD OLDPWD
exec "$@"
`;

/**
 * What keeps a program from outliving this process, however it ends: the kernel closes our end of a pipe, and the program's
 * group is killed. It is in force before the program begins.
 */
export class DieWithParentPipe {
  /** What the program must be given as LEASH_FD. */
  readonly fd: number;
  readonly #ours: number;
  #isClosed = false;

  constructor() {
    const { read, write } = closedPipe();
    [this.fd, this.#ours] = [read, write];
  }

  /** The command line of a program that is on a leash. */
  static on(command: string, args: readonly string[]): [string, string[]] {
    return ["/bin/sh", ["-c", script, "sh", command, ...args]];
  }

  /** What is left of the group may outlive us. */
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
