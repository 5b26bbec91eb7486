import { audit } from "../../store/audit.js";
import { HoldstillError } from "../../base/errors/error.js";
import { isProvider, type Session } from "../../host/isolation/session.js";
import type { RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { Crew } from "../../host/plugin-workers.js";
import { preserve } from "./safety-snapshot.js";
import { finish, readyWriters, type Reverted } from "./restore.js";
import { recordSpent, refuseLost } from "../sets/lost-snapshots.js";
import type { Bench } from "../types.js";

/**
 * Has the providers put whole volumes back, as they were cut. What was written to them since is gone, but for a snapshot that they
 * take of it first where there is room.
 *
 * @throws HoldstillError E_NOT_OFFERED, E_SET_EXPOSED, E_SNAPSHOT_LOST
 */
export async function revert(bench: Bench, crew: Crew, set: SnapshotSet): Promise<Reverted> {
  if ((set.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: set.id });
  refuseLost(set);
  const pictures: [RecordedSnapshot, Session<"provider">][] = [];
  for (const recorded of set.snapshots.filter(({ snapshot }) => snapshot.of === undefined)) {
    const session = await crew.session(recorded.by.instance);
    if (!isProvider(session)) continue;
    if (!session.offers("revert")) throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "revert" });
    pictures.push([recorded, session]);
  }
  const names = [...new Set(set.components.flatMap(({ writer }) => writer ?? []))];
  const writers = await readyWriters(bench, crew, set, names);
  await bench.stillness.calm();
  audit(bench, "revert", set);
  const safety = await preserve(bench, crew, set, pictures);
  const reverted: typeof pictures = [];
  let now = set;
  try {
    for (const picture of pictures) {
      const [{ snapshot }, session] = picture;
      await session.call("revert", [snapshot], bench.settings.limits.copy);
      reverted.push(picture);
    }
  } finally {
    now = await recordSpent(bench, set, reverted);
  }
  return { set: now, steps: [], safety, unfinished: await finish(bench, now, writers) };
}
