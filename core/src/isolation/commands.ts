import type { Who } from "../errors/details.js";
import { HoldstillError } from "../errors/error.js";
import type { Command } from "../exec/exec.js";
import type { ExecResult } from "../plugin/context.js";

/**
 * The programs that one plugin's calls run. They are the host's own processes: a thread that is terminated runs no `finally`, so
 * a plugin could not end them.
 */
export class Commands {
  readonly #who: Who;
  readonly #allowed: readonly string[];
  readonly #run: ((command: Command) => Promise<ExecResult>) | null;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(who: Who, allowed: readonly string[], run: Commands["run"] | null) {
    this.#who = who;
    this.#allowed = allowed;
    this.#run = run;
  }

  /** Loads execa only where the manifest names a command, and before the first call: it takes 0.1 s. */
  static async of(who: Who, allowed: readonly string[]): Promise<Commands> {
    return new Commands(who, allowed, allowed.length === 0 ? null : (await import("../exec/exec.js")).run);
  }

  /** Throws E_EXEC_DENIED for a command that the manifest does not name. */
  async run(command: Omit<Command, "who">): Promise<ExecResult> {
    if (this.#run === null || !this.#allowed.includes(command.command)) {
      const allowed = [...this.#allowed];
      throw new HoldstillError("E_EXEC_DENIED", { who: this.#who, command: command.command, allowed });
    }
    const running = this.#run({ who: this.#who, ...command });
    this.#running.add(running);
    return running.finally(() => this.#running.delete(running));
  }

  /** Resolves when none runs any more. Whoever waits has aborted them all before. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
