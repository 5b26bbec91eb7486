import { availableParallelism } from "node:os";
import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import { compensate, compensationOf } from "./isolation/host/compensation.js";
import { startSession } from "./isolation/host/start-session.js";
import type { AnySession, PluginSpec, SessionHooks } from "./isolation/session.js";
import type { ResolvedPlugin } from "./manifest/resolution.js";
import { reveal, type Revealed } from "./manifest/secrets.js";
import type { FreezeToken } from "../base/schema/types.js";
import { trustedUser } from "../base/trust/ownership.js";
import { Semaphore } from "../os/semaphore.js";

/** Receives the messages of the plugins. */
export interface PluginWorkerHooks {
  onLog(
    actor: string,
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields?: Record<string, unknown>,
  ): void;
  onProgress(actor: string, message: string, done?: number, total?: number): void;
}

/** How long a worker may take to load its plugin, ms. */
const startLimit = 30_000;

/**
 * The plugins of one operation, each in its worker. A worker is started when it is first needed. After a fault, a new one
 * replaces it.
 */
export class PluginWorkers {
  readonly plugins: ReadonlyMap<string, ResolvedPlugin>;
  /** The folder that has a data folder for each instance, by its name. */
  readonly #dataRoot: string;
  readonly #hooks: PluginWorkerHooks;
  readonly #sessions = new Map<string, Promise<AnySession>>();
  readonly #closing: Promise<"gone" | "stuck">[] = [];
  readonly #slots = new Semaphore(availableParallelism());
  readonly #closed = new AbortController();

  constructor(plugins: readonly ResolvedPlugin[], dataRoot: string, hooks: PluginWorkerHooks) {
    this.plugins = new Map(plugins.map((plugin) => [plugin.who.instance, plugin]));
    this.#dataRoot = dataRoot;
    this.#hooks = hooks;
  }

  /** The plugin's worker, which is started if necessary. */
  session(instance: string): Promise<AnySession> {
    const known = this.#sessions.get(instance);
    if (known !== undefined) return known;
    const started = this.#slots.run(() => this.#start(instance));
    this.#sessions.set(instance, started);
    return started;
  }

  /** Starts the workers that will be needed soon, after those that are needed now. `session` reports their errors. */
  warm(role: "writer" | "provider"): void {
    for (const { who } of this.plugins.values()) if (who.role === role) this.session(who.instance).catch(() => {});
  }

  /**
   * A new worker in place of one with a fault. The state of the old one is lost, and what it ran has ended, so that its freeze
   * cannot come after the thaw that is to undo it.
   */
  async replace(instance: string): Promise<AnySession> {
    const ended = this.retire(instance);
    const [session] = await Promise.all([this.session(instance), ended]);
    return session;
  }

  /** Ends the plugin's worker, if it has one, and what it runs. The next `session` is a new one. */
  async retire(instance: string): Promise<void> {
    const session = this.#sessions.get(instance);
    this.#sessions.delete(instance);
    if (session === undefined) return;
    const end = session.then((s) => s.close()).catch(() => "gone" as const);
    this.#closing.push(end);
    await end;
  }

  /** Ends the workers of an operation that has to wait: they keep memory and descriptors. `session` starts new ones. */
  rest(): void {
    for (const instance of this.#sessions.keys()) void this.retire(instance);
  }

  /**
   * Runs the compensation of a freeze, if its token has one: the application continues although its writer's worker is dead.
   * An error is logged only, because `abort` follows and decides.
   */
  async compensate(instance: string, token: FreezeToken | null, limitMs: number): Promise<void> {
    const compensation = compensationOf(token);
    const plugin = this.plugins.get(instance);
    if (compensation === null || plugin === undefined) return;
    const fields = { command: [compensation.command, ...(compensation.args ?? [])].join(" ") };
    try {
      const { options } = await revealed(plugin);
      const { exitCode, stderr } = await compensate(plugin, compensation, options, limitMs);
      if (exitCode === 0) this.#hooks.onLog(instance, "info", "thawed by its compensation", fields);
      else this.#hooks.onLog(instance, "error", "its compensation failed", { ...fields, exitCode, stderr });
    } catch (error) {
      this.#hooks.onLog(instance, "error", "its compensation failed", { ...fields, error: String(error) });
    }
  }

  /**
   * Ends the workers, also those that are still loading. No other worker is started after that.
   *
   * @returns `stuck` if a thread hangs in the kernel, so that this process cannot exit normally.
   */
  async close(): Promise<"gone" | "stuck"> {
    this.#closed.abort();
    this.rest();
    const ends = await Promise.all(this.#closing);
    return ends.includes("stuck") ? "stuck" : "gone";
  }

  async #start(instance: string): Promise<AnySession> {
    const plugin = this.plugins.get(instance);
    if (plugin === undefined) {
      throw new HoldstillError("E_PLUGIN_UNRESOLVED", { instance, candidates: [] });
    }
    const dataDir = path.join(this.#dataRoot, instance);
    const { who } = plugin;
    const { signal } = this.#closed;
    if (signal.aborted) throw new HoldstillError("E_CANCELLED", { who, op: "load" });
    const { options, secrets } = await revealed(plugin);
    const spec: Omit<PluginSpec, "who"> = {
      entry: plugin.entry,
      runtime: plugin.runtime === "executable" ? "executable" : plugin.isolation,
      memoryMb: plugin.memoryMb,
      commands: plugin.commands,
      programs: plugin.programs,
      environment: handedOn(plugin.environment),
      options,
      secrets,
      dataDir,
      protocol: plugin.protocol,
    };
    const hooks: SessionHooks = {
      onLog: (level, message, fields) => this.#hooks.onLog(instance, level, message, fields),
      onProgress: (message, done, total) => this.#hooks.onProgress(instance, message, done, total),
    };
    return who.role === "writer"
      ? startSession({ ...spec, who: { ...who, role: "writer" } }, hooks, startLimit, signal)
      : startSession({ ...spec, who: { ...who, role: "provider" } }, hooks, startLimit, signal);
  }
}

/** Secrets are read when a worker is started, and only for that worker. */
async function revealed({ who, options, secrets }: ResolvedPlugin): Promise<Revealed> {
  const read = await reveal(options, secrets, await trustedUser());
  const [fault] = read.faults;
  if (fault === undefined) return read;
  const reason = `its secret ${fault.pointer} cannot be read: seen ${fault.seen}, expected ${fault.expected}`;
  throw new HoldstillError("E_PLUGIN_LOAD", { who, reason });
}

/** The variables of the host's environment that the manifest names. */
function handedOn(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
