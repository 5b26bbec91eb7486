import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A line: the keeper has ended in order. The end of the input without one: the keeper was killed, and what it may hold is released. */
const script = 'read -r _ || exec "$@"';

/** Waits for the keeper's death in its own process and session, and in little memory. It also outlives the core. */
export class Watchdog {
  readonly #child: ChildProcess;

  /** `rescue`: the command to run when this process is killed. It gets the environment that the core has given the keeper. */
  constructor(rescue: readonly string[]) {
    this.#child = spawn("/bin/sh", ["-c", script, "sh", ...rescue], {
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
