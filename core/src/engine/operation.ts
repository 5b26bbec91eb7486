import { type Emit, Emitter } from "../base/events/emit.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import { PluginWorkers, type PluginWorkerHooks } from "../host/plugin-workers.js";
import type { ProtectedPath } from "../keeper/policy/system-tables.js";
import { makePlan } from "../plan/make.js";
import type { Plan, SnapshotRequest } from "../plan/plan.js";
import { eventLog } from "./event-log.js";
import type { PlanContext, Watcher } from "./types.js";

/** Plugins at work for one request, and the events of it. `close` ends their workers; until then they may run. */
export class Operation {
  readonly workers: PluginWorkers;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  protected readonly emitter: Emitter;
  readonly #context: PlanContext;

  protected constructor(context: PlanContext, plugins: readonly ResolvedPlugin[], watcher: Watcher) {
    const { log, store } = context;
    const { onEvent, signal = new AbortController().signal } = watcher;
    this.#context = context;
    this.signal = signal;
    this.emitter = new Emitter([
      ...(onEvent === undefined ? [] : [onEvent]),
      ...(log === null ? [] : [eventLog(log, plugins)]),
    ]);
    this.emit = this.emitter.emit;
    this.workers = new PluginWorkers(plugins, store.state.plugins, hooks(this.emit));
  }

  /** Makes the state directory. @throws HoldstillError E_STATE_DIR; the reason with which the watcher's signal was aborted */
  static async begin(
    context: PlanContext,
    plugins: readonly ResolvedPlugin[],
    watcher: Watcher = {},
  ): Promise<Operation> {
    await prepare(context, plugins, watcher);
    return new Operation(context, plugins, watcher);
  }

  /** Asks writers and providers what a transaction would do; a few operations of this process at a time. */
  plan(request: SnapshotRequest): Promise<Plan> {
    const { settings, store, planning } = this.#context;
    const { limits } = settings;
    return planning.run(() =>
      this.interruptible(async () => {
        // What another transaction of this process holds cannot be looked at.
        await store.gate.pass();
        const repair = request.repair ?? settings.repair;
        const asked = repair === "inline" ? request : { ...request, repair };
        return makePlan(asked, this.workers, limits, protectedPaths(store.state));
      }),
    );
  }

  /** Does work of which nothing needs undoing: an interruption ends the workers, so that what waits for them fails. */
  async interruptible<T>(work: () => Promise<T>): Promise<T> {
    const stop = (): void => void this.workers.close();
    this.signal.addEventListener("abort", stop, { once: true });
    try {
      return await work();
    } finally {
      this.signal.removeEventListener("abort", stop);
      // Also if the work succeeded: a plan can be made without a best-effort writer.
      this.signal.throwIfAborted();
    }
  }

  async close(): Promise<void> {
    await this.workers.close();
  }
}

/** What every operation does before it starts workers. */
export async function prepare(
  { store }: PlanContext,
  plugins: readonly ResolvedPlugin[],
  { signal }: Watcher,
): Promise<void> {
  await store.prepare(plugins.map(({ who }) => who.instance));
  signal?.throwIfAborted();
}

/** What the host writes to while it works, and must not have to wait for. The log does not count: it is paused during a hold. */
export const protectedPaths = ({ root }: { readonly root: string }): ProtectedPath[] => [
  { what: "holdstill's state directory", path: root },
];

function hooks(emit: Emit): PluginWorkerHooks {
  return {
    onLog(actor, level, message, fields) {
      emit({ type: "log", actor, level, message, ...(fields === undefined ? {} : { fields }) });
    },
    onProgress(actor, message, done, total) {
      emit({
        type: "progress",
        actor,
        message,
        ...(done === undefined ? {} : { done }),
        ...(total === undefined ? {} : { total }),
      });
    },
  };
}
