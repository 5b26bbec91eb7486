import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import type { Who } from "../../../base/errors/details.js";
import { HoldstillError } from "../../../base/errors/error.js";
import type { CommandSpec } from "../../../os/exec/exec.js";
import type { ExecResult } from "../../../os/exec/options.js";
import { trustedUser, type TrustedUser } from "../../../base/trust/ownership.js";
import { pathProblems } from "../../trust/access-list.js";

/** How long commands may take to end, ms: one that hangs in the kernel never ends. */
const ENDS_WITHIN_MS = 1000;

/** The programs that a plugin's manifest allows. */
export interface Allowed {
  who: Who;
  commands: readonly string[];
  programs?: "by-name" | "by-path";
}
type Run = (command: CommandSpec) => Promise<ExecResult>;

/**
 * The programs that the calls of one plugin run. They are processes of the host, because a plugin could not end them: a
 * terminated thread does not run `finally`.
 */
export class HostCommands {
  readonly #allowed: Allowed;
  /** Resolves when commands can be run. execa is loaded in 0.1 s, while the worker starts. */
  readonly ready: Promise<void>;
  /** null: commands cannot be run, or cannot be run yet. */
  #run: Run | null = null;
  /** null: programs cannot be run by their path. */
  #us: TrustedUser | null = null;
  readonly #running = new Set<Promise<unknown>>();
  readonly #left = new Set<() => void>();

  constructor(allowed: Allowed) {
    this.#allowed = allowed;
    this.ready = this.#load(allowed);
  }

  /** Loads execa only if the manifest allows a command. */
  async #load({ programs, commands }: Allowed): Promise<void> {
    if (programs === "by-path") this.#us = await trustedUser();
    if (this.#us !== null || commands.length > 0) this.#run = (await import("../../../os/exec/exec.js")).runProgram;
  }

  /** @throws HoldstillError E_EXEC_DENIED if the manifest does not allow the program, E_EXEC_UNTRUSTED if another user can change it. */
  async run(command: Omit<CommandSpec, "who">): Promise<ExecResult> {
    const { who, commands } = this.#allowed;
    if (this.#run === null) throw this.#denied(command.command);
    if (path.isAbsolute(command.command)) await this.#vet(command.command);
    else if (!commands.includes(command.command)) throw this.#denied(command.command);
    const running = this.#run({ who, ...command, onLeft: (end) => this.#left.add(end) });
    this.#running.add(running);
    return running.finally(() => this.#running.delete(running));
  }

  /** Ends what commands have left, and resolves when all have ended. The caller has aborted them before. */
  async ended(): Promise<void> {
    for (const end of this.#left) end();
    this.#left.clear();
    const patience = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#running),
      sleep(ENDS_WITHIN_MS, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
  }

  async #vet(command: string): Promise<void> {
    const { who } = this.#allowed;
    if (this.#us === null) throw this.#denied(command);
    const problems = await pathProblems(command, this.#us).catch((cause: unknown) => {
      throw new HoldstillError("E_EXEC_MISSING", { who, command }, { cause });
    });
    if (problems.length > 0) throw new HoldstillError("E_EXEC_UNTRUSTED", { who, command, problems });
  }

  #denied(command: string): HoldstillError {
    const { who, commands } = this.#allowed;
    return new HoldstillError("E_EXEC_DENIED", { who, command, allowed: [...commands] });
  }
}
