import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isWriter, type Session } from "../../host/isolation/session.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import type {
  DeviceVerification,
  RecordedSnapshot,
  SnapshotSet,
  Verification,
  VerifyReport,
} from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { whyUnreadable } from "../../os/exec/read-device.js";
import { mergeExposed } from "../../transaction/merge-exposed.js";
import { replacedSnapshots } from "./exposed-trees.js";
import { readySet } from "./ready-set.js";
import { volumeOf } from "./sets.js";
import { withExposed } from "./with-exposed.js";
import type { EngineContext } from "../types.js";

/**
 * Each writer starts its application on a writable copy of the snapshot, which is then thrown away, and checks it. The snapshot of each
 * raw device is opened, and its beginning and its end are read. The record keeps the results. If a snapshot cannot be exposed in this way,
 * or a writer fails, the result is that it could not be examined.
 *
 * @throws HoldstillError E_SET_EXPOSED if the set is exposed, E_SNAPSHOT_LOST if a snapshot of it is gone, E_SNAPSHOT_CREATING if one is not finished, E_NOT_OFFERED or E_USAGE if
 * no writer of the set can verify, and it has no raw device.
 */
export async function verifySet(
  context: EngineContext,
  workers: PluginWorkers,
  known: SnapshotSet,
): Promise<SnapshotSet> {
  if ((known.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: known.id });
  const set = await readySet(context, workers, known);
  const able = await ableWriters(workers, set);
  const found: Verification[] = [];
  for (const session of able) {
    const report = await verifyBy(context, workers, set, session);
    found.push({ writer: session.who.instance, at: new Date().toISOString(), ...report });
  }
  for (const recorded of rawSnapshots(set)) found.push(await verifyDevice(context, workers, set, recorded));
  const verified = new Set(found.map(subjectOf));
  const others = (set.verified ?? []).filter((one) => !verified.has(subjectOf(one)));
  const now = { ...set, verified: [...others, ...found] };
  await context.store.catalog.write(now);
  return now;
}

/** Writers and devices are told apart by the slash. */
const subjectOf = (one: Verification): string => ("writer" in one ? one.writer : one.device);

/** The snapshots of raw devices, as they were cut. */
function rawSnapshots({ volumes, snapshots }: SnapshotSet): RecordedSnapshot[] {
  const raw = new Set(volumes.flatMap(({ kind, id }) => (kind === "block" ? [id] : [])));
  return snapshots.filter(({ snapshot }) => raw.has(snapshot.volumeId) && snapshot.of === undefined);
}

async function ableWriters(workers: PluginWorkers, set: SnapshotSet): Promise<Session<"writer">[]> {
  const able: Session<"writer">[] = [];
  for (const { by } of set.writers.filter(({ state }) => state !== "left-out")) {
    const session = await workers.session(by.instance);
    if (!isWriter(session)) continue;
    if (session.offers("verify")) able.push(session);
    else if (set.writers.length === 1) throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "verify" });
  }
  if (able.length > 0 || rawSnapshots(set).length > 0) return able;
  const problem = `No writer of set ${set.id} can verify it.`;
  throw new HoldstillError("E_USAGE", { problem, hint: "Expose it, and start the application on a copy." });
}

async function verifyBy(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  writer: Session<"writer">,
): Promise<VerifyReport> {
  const { instance } = writer.who;
  const own = set.components.filter((component) => component.writer === instance);
  const volumes = new Set(own.flatMap((component) => component.volumes));
  const replaced = replacedSnapshots(set, "repaired");
  const snapshots = set.snapshots.filter(
    ({ snapshot }) => volumes.has(snapshot.volumeId) && !replaced.has(snapshot.id),
  );
  const tx: WriterTransaction = {
    id: set.id,
    cut: set.cut,
    components: own.map(({ component }) => component),
    sidecarDir: context.store.sidecars.folder(set.id, instance),
  };
  const limit = context.settings.limits.repair;
  try {
    return await withExposed(context, workers, set, snapshots, { access: "scratch", name: "verify" }, (exposed) =>
      writer.call("verify", [tx, mergeExposed(exposed)], limit),
    );
  } catch (error) {
    return { result: "not-examined", reason: toFault(error).message };
  }
}

/** Of what is on the device, nothing is known: that it can be read is all that there is to see. */
async function verifyDevice(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  recorded: RecordedSnapshot,
): Promise<DeviceVerification> {
  const captured = volumeOf(set, recorded.snapshot)?.paths ?? [];
  const about = { device: captured.join(" "), at: new Date().toISOString() };
  const limit = context.settings.limits.repair;
  try {
    return await withExposed(
      context,
      workers,
      set,
      [recorded],
      { access: "read-only", name: "verify" },
      async (exposed) => {
        const [device] = exposed.flatMap(({ devices = [] }) => devices);
        const reason = await whyUnreadable(device?.path ?? "", limit);
        return reason === null ? { ...about, result: "opens" } : { ...about, result: "does-not-open", reason };
      },
    );
  } catch (error) {
    return { ...about, result: "not-examined", reason: toFault(error).message };
  }
}
