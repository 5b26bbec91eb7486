import type { Who } from "../../base/errors/details.js";
import type { AnswerOf, ArgsOf, OpOf, Role } from "./operations.js";
import type { LogLevel } from "./wire.js";

/** Where a plugin runs: a module in a thread or in a process, or a program. */
export type WorkerRuntime = "thread" | "process" | "executable";

/** How to start a plugin instance's worker. */
export interface PluginSpec<R extends Role = Role> {
  who: Who & { role: R };
  /** The plugin's module or program, absolute. */
  entry: string;
  runtime: WorkerRuntime;
  /** Heap of a module, or data of a program, MiB. */
  memoryMb: number;
  /** Programs that `ctx.exec` may run by name. */
  commands: readonly string[];
  /** by-path: also programs by their path, if no other user can change them. Default: by-name. */
  programs?: "by-name" | "by-path";
  /** Beside PATH, HOME, LANG and TZ, which every plugin gets. */
  environment: Readonly<Record<string, string>>;
  options: Readonly<Record<string, unknown>>;
  /** Values of the options that must not be shown in anything from the plugin. */
  secrets?: readonly string[];
  dataDir: string;
  /** The contract version that host and plugin use. */
  protocol: number;
}

export interface SessionHooks {
  onLog(level: LogLevel, message: string, fields?: Record<string, unknown>): void;
  onProgress(message: string, done?: number, total?: number): void;
  /** Waited for before each program that the plugin runs. */
  beforeCommand?(): Promise<void>;
}

/**
 * A plugin instance's worker, for one transaction. `Session<"writer">` has the writer's methods only; a plain `Session` has all.
 *
 * A session ends with its worker. After that, each call fails at once with E_PLUGIN_DIED. Start another session.
 */
export interface Session<R extends Role = Role> {
  readonly who: Who;
  /** Id of the thread or process: what messages name. */
  readonly worker: number;
  /** Whether the plugin has this method of its contract. */
  offers(op: OpOf<R>): boolean;
  /**
   * Calls a method, and checks its result.
   *
   * @throws HoldstillError E_NOT_OFFERED, E_PLUGIN_FAILED, E_ANSWER_INVALID, E_ANSWER_UNCLONEABLE, E_PLUGIN_DIED, E_CANCELLED,
   * E_EXEC_DENIED, E_EXEC_MISSING, E_EXEC_UNTRUSTED; or E_DEADLINE as soon as `limitMs` have passed. The plugin's signal then
   * fires, and the worker is killed if the plugin does not stop. Until then, later calls wait.
   */
  call<O extends OpOf<R>>(op: O, args: ArgsOf<R, O>, limitMs: number): Promise<AnswerOf<R, O>>;
  /** Ends pending calls with E_CANCELLED at once. If the plugin does not stop then, its worker is killed. */
  cancel(): void;
  /** Ends the worker and its commands, in less than 1 s. "stuck": it hangs in the kernel (see hasStuckWorkers). */
  close(): Promise<"gone" | "stuck">;
}

/** A session of either kind; the guards distinguish them. */
export type AnySession = Session<"writer"> | Session<"provider">;
export const isWriter = (session: AnySession): session is Session<"writer"> => session.who.role === "writer";
export const isProvider = (session: AnySession): session is Session<"provider"> => session.who.role === "provider";
