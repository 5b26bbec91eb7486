import { audit } from "../../store/audit.js";
import { HoldstillError } from "../../base/errors/error.js";
import { isProvider, type Session } from "../../host/isolation/session.js";
import type { RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { takeSafetySet } from "./safety-snapshot.js";
import { finishRestore, readyWriters, type Reverted } from "./restore.js";
import { recordLost, refuseLost } from "../sets/lost-snapshots.js";
import type { EngineContext } from "../types.js";

/**
 * Has the providers put whole volumes back, as they were cut. What was written to them since is gone, but for a snapshot that they
 * take of it first where there is room.
 *
 * @throws HoldstillError E_NOT_OFFERED, E_SET_EXPOSED, E_SNAPSHOT_LOST
 */
export async function revertSet(bench: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<Reverted> {
  if ((set.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: set.id });
  refuseLost(set);
  const pictures: [RecordedSnapshot, Session<"provider">][] = [];
  for (const recorded of set.snapshots.filter(({ snapshot }) => snapshot.of === undefined)) {
    const session = await workers.session(recorded.by.instance);
    if (!isProvider(session)) continue;
    if (!session.offers("revert")) throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "revert" });
    pictures.push([recorded, session]);
  }
  const names = [...new Set(set.components.flatMap(({ writer }) => writer ?? []))];
  const writers = await readyWriters(bench, workers, set, names);
  await bench.writeGate.pass();
  audit(bench, "revert", set);
  const safety = await takeSafetySet(bench, workers, set, pictures);
  const reverted: typeof pictures = [];
  let now = set;
  try {
    for (const picture of pictures) {
      const [{ snapshot }, session] = picture;
      await session.call("revert", [snapshot], bench.settings.limits.copy);
      reverted.push(picture);
    }
  } finally {
    now = await recordLost(bench, set, reverted);
  }
  return { set: now, steps: [], safety, unfinished: await finishRestore(bench, now, writers) };
}
