import { mkdirSync } from "node:fs";
import path from "node:path";
import { makeStateDir, asStateError } from "../store/state-directory.js";
import { type Emit, Emitter } from "../base/events/emit.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import { PluginWorkers, type PluginWorkerHooks } from "../host/plugin-workers.js";
import { eventLog } from "./event-log.js";
import type { HoldGate } from "../transaction/run-transaction.js";
import type { EngineContext, Watcher } from "./types.js";

/** Plugins at work, and the way to tell of it. */
export interface Operation {
  workers: PluginWorkers;
  emit: Emit;
  writeGate: HoldGate;
  signal: AbortSignal;
}

/**
 * Runs something with a workers of plugins, and ends their workers whatever happens. An interruption before a transaction has
 * begun ends the workers, so that whatever is waited for fails.
 */
export async function withOperation<T>(
  bench: EngineContext,
  plugins: readonly ResolvedPlugin[],
  { onEvent, signal = new AbortController().signal }: Watcher,
  work: (workshop: Operation) => Promise<T>,
): Promise<T> {
  const { log, writeGate: shared } = bench;
  await shared.pass();
  makeStateDir(bench.state);
  asStateError(bench.state, () => {
    for (const { who } of plugins)
      mkdirSync(path.join(bench.state.plugins, who.instance), { recursive: true, mode: 0o700 });
  });
  const emitter = new Emitter([
    ...(onEvent === undefined ? [] : [onEvent]),
    ...(log === null ? [] : [eventLog(log, plugins)]),
  ]);
  const { emit } = emitter;
  const writeGate: HoldGate = {
    async suspend() {
      emitter.suspend();
      await shared.suspend();
    },
    resume() {
      shared.resume();
      emitter.resume();
    },
    pass: () => shared.pass(),
  };
  const workers = new PluginWorkers(plugins, bench.state.plugins, hooks(emit));
  try {
    signal.throwIfAborted();
    return await work({ workers, emit, writeGate, signal });
  } finally {
    await workers.close();
  }
}

/** Where nothing needs undoing yet: an interruption ends the workers, and so whatever waits for them. */
export async function interruptible<T>(
  { workers, signal }: Pick<Operation, "workers" | "signal">,
  work: () => Promise<T>,
): Promise<T> {
  const stop = (): void => void workers.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", stop);
    // Also where the work got over it: without a writer that need not take part there is a plan all the same.
    signal.throwIfAborted();
  }
}

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
