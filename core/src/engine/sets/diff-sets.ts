import { volumeName } from "../../base/display/volume-name.js";
import { HoldstillError } from "../../base/errors/error.js";
import type {
  ChangedExtent,
  DiffDocument,
  DiffVolume,
  Difference,
  RecordedSnapshot,
  SnapshotSet,
  Volume,
} from "../../base/schema/types.js";
import type { Session } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { checkDiffAnswer } from "../../transaction/check-diff-answer.js";
import type { EngineContext } from "../types.js";
import { readySet } from "./ready-set.js";
import { providerOf } from "./sets.js";

/**
 * Which parts of each volume of the second set differ from the first one, as the snapshots were cut.
 *
 * @throws HoldstillError E_NO_DIFF if a provider cannot list them; E_SNAPSHOT_LOST, E_SNAPSHOT_CREATING
 */
export async function diffSets(
  context: EngineContext,
  workers: PluginWorkers,
  first: SnapshotSet,
  second: SnapshotSet,
): Promise<DiffDocument> {
  const from = await readySet(context, workers, first);
  const to = await readySet(context, workers, second);
  const able = new Map<Volume, Session<"provider">>();
  // All are asked before the first is compared, which may take long.
  for (const volume of to.volumes) {
    const session = await providerOf(workers, cutOf(to, volume));
    if (!session.offers("diff")) throw notComparable(volume, session, to);
    able.set(volume, session);
  }
  const volumes: DiffVolume[] = [];
  for (const [volume, session] of able)
    volumes.push(await diffVolume(session, volume, from, to, context.settings.limits.seal));
  return { from: from.id, to: to.id, volumes };
}

async function diffVolume(
  session: Session<"provider">,
  volume: Volume,
  from: SnapshotSet,
  to: SnapshotSet,
  limitMs: number,
): Promise<DiffVolume> {
  const about = { paths: volume.paths, provider: session.who.instance };
  // Numbers of devices change at a boot.
  const before = from.volumes.find((one) => keyOf(one) === keyOf(volume));
  if (before === undefined) return { state: "whole", ...about, reason: `set ${from.id} does not have it` };
  const older = cutOf(from, before);
  if (older.by.instance !== session.who.instance)
    return { state: "whole", ...about, reason: `in set ${from.id} it is a snapshot of ${older.by.instance}` };
  const found = await session.call("diff", [older.snapshot, cutOf(to, volume).snapshot], limitMs);
  checkDiffAnswer(session.who, found);
  const { from: fromNode, to: toNode, sizeBytes } = found;
  return { state: "compared", ...about, from: fromNode, to: toNode, sizeBytes, extents: extentsOf(found) };
}

const keyOf = (volume: Volume): string =>
  volume.kind === "block" ? `block ${volumeName(volume)}` : `filesystem ${volume.mountPoint} ${volume.root}`;

function cutOf({ id, snapshots }: SnapshotSet, volume: Volume): RecordedSnapshot {
  const cut = snapshots.find(({ snapshot: { volumeId, of } }) => volumeId === volume.id && of === undefined);
  if (cut !== undefined) return cut;
  const problem = `Set ${id} has no snapshot of ${volumeName(volume)}.`;
  throw new HoldstillError("E_USAGE", { problem, hint: "See `holdstill show`." });
}

const extentsOf = ({ data, holes }: Difference): ChangedExtent[] =>
  [...extents(data, "data"), ...extents(holes, "hole")].toSorted((a, b) => a.offset - b.offset);

const extents = (pairs: readonly number[], found: ChangedExtent["found"]): ChangedExtent[] =>
  Array.from({ length: pairs.length / 2 }, (_, at) => ({
    offset: pairs[2 * at] ?? 0,
    length: pairs[2 * at + 1] ?? 0,
    found,
  }));

const notComparable = (volume: Volume, { who }: Session<"provider">, { id }: SnapshotSet): HoldstillError =>
  new HoldstillError("E_NO_DIFF", { volume: volumeName(volume), provider: who.instance, set: id });
