import { mkdirSync } from "node:fs";
import path from "node:path";
import { makeStateDir, usable } from "../store/state-directory.js";
import { type Emit, Emitter } from "../base/events/emit.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import { Crew, type CrewHooks } from "../host/plugin-workers.js";
import { eventLog } from "./event-log.js";
import type { Quiet } from "../transaction/run-transaction.js";
import type { Bench, Watching } from "./types.js";

/** Plugins at work, and the way to tell of it. */
export interface Workshop {
  crew: Crew;
  emit: Emit;
  quiet: Quiet;
  signal: AbortSignal;
}

/**
 * Runs something with a crew of plugins, and ends their workers whatever happens. An interruption before a transaction has
 * begun ends the workers, so that whatever is waited for fails.
 */
export async function withCrew<T>(
  bench: Bench,
  plugins: readonly ResolvedPlugin[],
  { onEvent, signal = new AbortController().signal }: Watching,
  work: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  const { log, stillness } = bench;
  await stillness.calm();
  makeStateDir(bench.state);
  usable(bench.state, () => {
    for (const { who } of plugins)
      mkdirSync(path.join(bench.state.plugins, who.instance), { recursive: true, mode: 0o700 });
  });
  const emitter = new Emitter([
    ...(onEvent === undefined ? [] : [onEvent]),
    ...(log === null ? [] : [eventLog(log, plugins)]),
  ]);
  const { emit } = emitter;
  const quiet: Quiet = {
    async begin() {
      emitter.keep();
      await stillness.begin();
    },
    end() {
      stillness.end();
      emitter.flush();
    },
    calm: () => stillness.calm(),
  };
  const crew = new Crew(plugins, bench.state.plugins, hooks(emit));
  try {
    signal.throwIfAborted();
    return await work({ crew, emit, quiet, signal });
  } finally {
    await crew.close();
  }
}

/** Where nothing needs undoing yet: an interruption ends the workers, and so whatever waits for them. */
export async function interruptible<T>(
  { crew, signal }: Pick<Workshop, "crew" | "signal">,
  work: () => Promise<T>,
): Promise<T> {
  const stop = (): void => void crew.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", stop);
    // Also where the work got over it: without a writer that need not take part there is a plan all the same.
    signal.throwIfAborted();
  }
}

function hooks(emit: Emit): CrewHooks {
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
