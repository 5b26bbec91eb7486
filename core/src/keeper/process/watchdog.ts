import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * A line: the keeper has ended in order. The end of the input without one: the keeper was killed, and what it may hold is released. A
 * stopped keeper (state T, proc_pid_stat(5)) can keep neither its limit nor the core's silence, and is killed for that within a second.
 * Its name has no blank; field 22 is its start, so that no other process is taken for it.
 */
const script = `
trap : TERM
keeper=$1
shift
while read -r _ _ state _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ started _ </proc/$keeper/stat; do
  [ "\${first:=$started}" = "$started" ] || exit
  [ "$state" != T ] || kill -KILL "$keeper"
  sleep 1
done &
read -r _
was=$?
kill -TERM 0
[ $was -eq 0 ] || exec "$@"
`;

/** Waits for the keeper's death in its own process group and session, and in little memory. It also outlives the core. */
export class Watchdog {
  readonly #child: ChildProcess;

  /** `rescue`: the command to run when this process is killed. It gets the environment that the core has given the keeper. */
  constructor(rescue: readonly string[]) {
    this.#child = spawn("/bin/sh", ["-c", script, "sh", String(process.pid), ...rescue], {
      detached: true,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#child.stdin?.on("error", () => undefined);
    this.#child.once("error", () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async dismiss(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const gone = once(this.#child, "exit");
    this.#child.stdin?.end("\n");
    await gone;
  }
}
