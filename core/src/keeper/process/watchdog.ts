import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { environmentFor, wayToRescue } from "../client/spawn.js";

/** A word: the keeper has ended well. The end of the input without one: it was killed, and what it may have held is released. */
const script = 'read -r _ || exec "$@"';

/** Waits, in a process and a session of its own and in little memory, for the keeper's death; it outlives the core's, too. */
export class Watchdog {
  readonly #child: ChildProcess;

  constructor(ledger: string, stations: number) {
    this.#child = spawn("/bin/sh", ["-c", script, "sh", ...wayToRescue(ledger)], {
      detached: true,
      cwd: "/",
      env: environmentFor(stations),
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
