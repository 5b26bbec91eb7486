import { availableParallelism } from "node:os";
import { Catalog } from "../store/catalog.js";
import { stateDir } from "../store/state-directory.js";
import type { Settings } from "../base/config/settings.js";
import { Semaphore } from "../os/semaphore.js";
import type { RootLog } from "../base/log/log.js";
import { WriteGate } from "../store/write-gate.js";
import { VolumeQueue } from "./create/volume-queue.js";
import type { EngineContext, OpenOptions } from "./types.js";

/** One for all operations of a process: they share the queue and the writeGate. */
export function createContext(settings: Settings, log: RootLog | null): EngineContext {
  const state = stateDir(settings.stateDir);
  return {
    settings,
    state,
    catalog: new Catalog(state),
    log,
    requester: null,
    planning: new Semaphore(2 * availableParallelism()),
    queue: new VolumeQueue(),
    writeGate: new WriteGate(log),
  };
}

export async function logFor({ log: { level, file } }: Settings, { log }: OpenOptions): Promise<RootLog | null> {
  if (level === "silent" || (file === null && log === undefined)) return null;
  const { createLog } = await import("../base/log/log.js");
  return createLog({ level, ...(file === null ? {} : { file }), stderr: log === "stderr" });
}
