import { availableParallelism } from "node:os";
import { Catalog } from "../catalog/catalog.js";
import { stateDir } from "../catalog/state.js";
import type { Settings } from "../config/settings.js";
import { Slots } from "../crew/slots.js";
import type { RootLog } from "../log/log.js";
import { Stillness } from "./stillness.js";
import { VolumeQueue } from "./volume-queue.js";
import type { Bench, OpenOptions } from "./types.js";

/** One for all operations of a process: they share the queue and the stillness. */
export function benchOf(settings: Settings, log: RootLog | null): Bench {
  const state = stateDir(settings.stateDir);
  return {
    settings,
    state,
    catalog: new Catalog(state),
    log,
    requester: null,
    planning: new Slots(2 * availableParallelism()),
    queue: new VolumeQueue(),
    stillness: new Stillness(log),
  };
}

export async function logFor({ log: { level, file } }: Settings, { log }: OpenOptions): Promise<RootLog | null> {
  if (level === "silent" || (file === null && log === undefined)) return null;
  const { createLog } = await import("../log/log.js");
  return createLog({ level, ...(file === null ? {} : { file }), stderr: log === "stderr" });
}
