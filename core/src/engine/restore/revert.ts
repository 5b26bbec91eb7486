import { HoldstillError } from "../../base/errors/error.js";
import { isProvider, type Session } from "../../host/isolation/session.js";
import type { RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { takeSafetySet } from "./safety-snapshot.js";
import { finishRestore, readyWriters, type Reverted } from "./restore.js";
import { recordLost, refuseLost } from "../sets/lost-snapshots.js";
import type { EngineContext } from "../types.js";

/**
 * The providers put whole volumes back, as they were at the cut. What was written since is lost, apart from a snapshot that they take
 * of it first if there is space.
 *
 * @throws HoldstillError E_NOT_OFFERED, E_SET_EXPOSED, E_SNAPSHOT_LOST
 */
export async function revertSet(context: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<Reverted> {
  if ((set.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: set.id });
  refuseLost(set);
  const pairs: [RecordedSnapshot, Session<"provider">][] = [];
  for (const recorded of set.snapshots.filter(({ snapshot }) => snapshot.of === undefined)) {
    const session = await workers.session(recorded.by.instance);
    if (!isProvider(session)) continue;
    if (!session.offers("revert")) throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "revert" });
    pairs.push([recorded, session]);
  }
  const names = [...new Set(set.components.flatMap(({ writer }) => writer ?? []))];
  const writers = await readyWriters(context, workers, set, names);
  await context.store.audit.note(context.requester, "revert", set);
  const safety = await takeSafetySet(context, workers, set, pairs);
  const reverted: typeof pairs = [];
  let now = set;
  try {
    for (const pair of pairs) {
      const [{ snapshot }, session] = pair;
      await session.call("revert", [snapshot], context.settings.limits.copy);
      reverted.push(pair);
    }
  } finally {
    now = await recordLost(context, set, reverted);
  }
  return { set: now, steps: [], safety, unfinished: await finishRestore(context, now, writers) };
}
