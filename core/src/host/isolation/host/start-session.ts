import type { Who } from "../../../base/errors/details.js";
import { HoldstillError, isHoldstillError } from "../../../base/errors/error.js";
import { ownVersion } from "../../../installation.js";
import { baseEnvironment } from "../../../os/environment.js";
import { checkAnswer, notData, preloadAnswerChecks } from "./check-answer.js";
import { PendingCalls } from "./calls.js";
import { HostCommands } from "./commands.js";
import type { AnswerOf, ArgsOf, PluginOp, OpOf, Role } from "../operations.js";
import { Lines } from "./output.js";
import { Quota, isOverQuota } from "./quota.js";
import { redactor } from "./redact.js";
import { startThread } from "./pool.js";
import { startProcess } from "./process.js";
import { startProgram } from "./program.js";
import type { Worker } from "./worker.js";
import type { PluginSpec, Session, SessionHooks } from "../session.js";
import type { FromWorker, PluginFault } from "../wire.js";

/** Starts the workers of plugins: the entry of this folder for the rest of the core. */
export type { PluginSpec, Session, SessionHooks } from "../session.js";
export type {
  AnswerOf,
  ArgsOf,
  PluginOp,
  OpOf,
  ProviderAnswer,
  ProviderArgs,
  ProviderOp,
  Role,
  WriterAnswer,
  WriterArgs,
  WriterOp,
} from "../operations.js";
export { hasStuckWorkers } from "./pool.js";

/** Starts a worker and loads the plugin in it. Throws E_PLUGIN_LOAD, or E_DEADLINE or E_CANCELLED for `load`. The worker has then ended. */
export async function startSession<R extends Role>(
  spec: PluginSpec<R>,
  hooks: SessionHooks,
  limitMs: number,
  signal: AbortSignal = new AbortController().signal,
): Promise<Session<R>> {
  preloadAnswerChecks(spec.who.role);
  const commands = new HostCommands(spec);
  const session = new Remote<R>(spec, hooks, commands);
  const stop = (): void => session.cancel();
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) stop();
    await Promise.all([session.loaded(limitMs), commands.ready]);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const starters = { thread: startThread, process: startProcess, executable: startProgram } as const;

/** How many commands of a plugin may run at once. */
const COMMANDS_AT_ONCE = 256;
const UNCONFINED = "can write to more than it needs: this process may not mount, so nothing is read-only for it";

/** Calls in which a provider may not see its storage. The host then claims nothing of the snapshots there. */
const LOOKING: ReadonlySet<PluginOp> = new Set(["list", "expose", "unexpose", "remove"]);

type State =
  | { is: "loading"; settle: (error?: HoldstillError) => void }
  | { is: "open"; ops: ReadonlySet<string> }
  | { is: "ended"; reason: string };

class Remote<R extends Role> implements Session<R> {
  readonly who: Who;
  readonly worker: number;
  readonly #runtime: PluginSpec["runtime"];
  readonly #hooks: SessionHooks;
  readonly #commands: HostCommands;
  readonly #worker: Worker;
  readonly #calls: PendingCalls;
  readonly #loaded: Promise<void>;
  #state: State;
  #lastWords: string | undefined;
  /** Commands. */
  #running = 0;

  constructor(spec: PluginSpec<R>, hooks: SessionHooks, commands: HostCommands) {
    const { who, entry, options, dataDir, protocol } = spec;
    this.who = who;
    this.#runtime = spec.runtime;
    this.#hooks = hooks;
    this.#commands = commands;
    let settle: (error?: HoldstillError) => void = nothing;
    this.#loaded = new Promise((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#state = { is: "loading", settle };
    const redact = redactor(spec.secrets ?? []);
    const quota = new Quota();
    const log = (level: "info" | "warn") => (line: string) => {
      const taken = quota.take();
      if (taken === "passed") hooks.onLog(level, redact(line));
      else if (taken === "last") hooks.onLog("warn", isOverQuota);
    };
    const output = { stdout: new Lines(log("info")), stderr: new Lines(log("warn")) };
    this.#worker = starters[spec.runtime](
      {
        memoryMb: spec.memoryMb,
        environment: { ...baseEnvironment(), ...spec.environment },
        start: { role: who.role, entry, options, dataDir, protocol, host: { version: ownVersion() } },
      },
      {
        // Secrets in the arguments and the environment of a command are for the command.
        onMessage: (message) => this.#receive(message.type === "exec" ? message : redact(message)),
        onBroken: (reason) => this.#end(reason),
        onOutput: (stream, chunk) => output[stream].take(chunk),
        onExit: (reason) => {
          output.stdout.end();
          output.stderr.end();
          this.#end(this.#lastWords ?? redact(reason));
        },
      },
    );
    this.worker = this.#worker.number;
    this.#calls = new PendingCalls(
      (message) => this.#worker.post(message),
      (op) => this.#end(`it did not stop ${op} when its signal fired, and was killed`),
    );
  }

  /** Resolves once the plugin is loaded. */
  async loaded(limitMs: number): Promise<void> {
    const late = { who: this.who, op: "load", limitMs, worker: this.worker };
    const timer = setTimeout(() => this.#fail(new HoldstillError("E_DEADLINE", late)), limitMs);
    try {
      await this.#loaded;
    } finally {
      clearTimeout(timer);
    }
  }

  offers(op: OpOf<R>): boolean {
    return this.#state.is === "open" && this.#state.ops.has(op);
  }

  async call<O extends OpOf<R>>(op: O, args: ArgsOf<R, O>, limitMs: number): Promise<AnswerOf<R, O>> {
    if (this.#state.is === "ended") throw this.#died(op, `it had ended before (${this.#state.reason})`);
    if (!this.offers(op)) throw new HoldstillError("E_NOT_OFFERED", { who: this.who, op });
    const late = { who: this.who, op, limitMs, worker: this.worker };
    const value = await this.#calls.add(op, args, limitMs, () => new HoldstillError("E_DEADLINE", late));
    return checkAnswer<R, O>(this.who, op, value, (unknown) =>
      this.#hooks.onLog("debug", `${op} returned properties that this version does not know: they are ignored`, {
        unknown,
      }),
    );
  }

  cancel(): void {
    this.#fail(new HoldstillError("E_CANCELLED", { who: this.who, op: "load" }));
    this.#calls.giveUpAll((op) => new HoldstillError("E_CANCELLED", { who: this.who, op }));
  }

  async close(): Promise<"gone" | "stuck"> {
    this.cancel();
    this.#end("its session was closed");
    const [gone] = await Promise.all([this.#worker.kill(), this.#commands.ended()]);
    return gone;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "ready":
        if (this.#state.is !== "loading") return;
        this.#state.settle();
        this.#state = { is: "open", ops: new Set(message.ops) };
        return;
      case "refused":
        this.#fail(new HoldstillError("E_PLUGIN_LOAD", { who: this.who, reason: message.reason }));
        return;
      case "answer":
        this.#calls.end(message.id)?.resolve(message.value);
        return;
      case "failed": {
        const call = this.#calls.end(message.id);
        call?.reject(this.#failed(call.op, message.fault, call.refusal));
        return;
      }
      case "uncloneable": {
        const call = this.#calls.end(message.id);
        call?.reject(
          new HoldstillError("E_ANSWER_UNCLONEABLE", { who: this.who, op: call.op, reason: message.reason }),
        );
        return;
      }
      case "unfit": {
        const call = this.#calls.end(message.id);
        call?.reject(notData(this.who, call.op, message.unfit));
        return;
      }
      case "log":
        this.#hooks.onLog(message.level, message.message, message.fields);
        return;
      case "progress":
        this.#hooks.onProgress(message.message, message.done, message.total);
        return;
      case "exec":
        void this.#exec(message);
        return;
      case "dying":
        this.#lastWords = message.reason;
        return;
    }
  }

  async #exec({ id, call: callId, ...command }: Extract<FromWorker, { type: "exec" }>): Promise<void> {
    const call = this.#calls.awaited(callId);
    try {
      if (call === undefined) throw new Error("the call that this command was for has ended");
      if (this.#running >= COMMANDS_AT_ONCE) throw new Error(`more than ${COMMANDS_AT_ONCE} commands at once`);
      const onNoNamespace = (): void => this.#hooks.onLog("warn", `${command.command} ${UNCONFINED}`);
      await this.#hooks.beforeCommand?.();
      this.#running += 1;
      const result = await this.#commands
        .run({ ...command, signal: call.commands.signal, onNoNamespace })
        .finally(() => (this.#running -= 1));
      this.#worker.post({ type: "exec-done", id, result });
    } catch (error) {
      if (call !== undefined && isHoldstillError(error)) call.refusal = error;
      this.#worker.post({ type: "exec-failed", id, fault: toFault(error) });
    }
  }

  #failed(op: PluginOp, fault: PluginFault, refusal: HoldstillError | undefined): HoldstillError {
    if (refusal !== undefined && refusal.message === fault.message) return refusal;
    const details = {
      who: this.who,
      op,
      reason: fault.message,
      ...(fault.code !== undefined && { pluginCode: fault.code }),
      ...(fault.hint !== undefined && { pluginHint: fault.hint }),
      ...(fault.stack !== undefined && { stack: fault.stack }),
    };
    if (fault.code === "UNREACHABLE" && LOOKING.has(op))
      return new HoldstillError("E_UNREACHABLE", details, { cause: fault });
    return new HoldstillError("E_PLUGIN_FAILED", details, { cause: fault });
  }

  /** Loading failed. */
  #fail(error: HoldstillError): void {
    if (this.#state.is !== "loading") return;
    this.#state.settle(error);
    this.#end(error.message);
  }

  #end(reason: string): void {
    if (this.#state.is === "ended") return;
    if (this.#state.is === "loading") this.#state.settle(this.#died("load", reason));
    this.#state = { is: "ended", reason };
    void this.#worker.kill();
    this.#calls.endAll((op) => this.#died(op, reason));
  }

  #died(op: string, reason: string): HoldstillError {
    const isolation = this.#runtime === "thread" ? "thread" : "process";
    return new HoldstillError("E_PLUGIN_DIED", { who: this.who, op, reason, isolation });
  }
}

function nothing(): void {
  // Replaced before it can be called.
}

function toFault(error: unknown): PluginFault {
  if (isHoldstillError(error)) return { message: error.message, code: error.code, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error) };
}
