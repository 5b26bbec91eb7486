import type { Connection } from "./connection.js";
import type { Driver } from "./driver.js";
import { type Entry, nameOf } from "./entry.js";
import { PluginError } from "./errors.js";
import { nonsense } from "./failure.js";
import { groupOf, look, type Made, type MadeIds, singleOf } from "./look.js";
import type { DriverSnapshot, Text } from "./messages.js";

/** What the driver takes at once: a group, or the snapshot of one volume. */
export interface Cut {
  readonly name: string;
  readonly method: "group" | "single";
  readonly parameters: Text;
  readonly entries: readonly Entry[];
}

/**
 * The cuts of a set whose result is not written down, from its entries. A group has all snapshots of the set in it, also those that
 * were sealed before a crash: the request names the same volumes each time.
 */
export function cutsOf(entries: readonly Entry[]): Cut[] {
  const members = entries.filter(({ held }) => held.as !== "fork");
  const named = new Set<string>();
  return members.flatMap((entry) => {
    if (entry.held.as !== "planned") return [];
    const { method, parameters } = entry.held;
    const name = method === "group" ? nameOf.group(entry.setId) : nameOf.own(entry.id);
    if (named.has(name)) return [];
    named.add(name);
    return [{ name, method, parameters, entries: method === "group" ? members : [entry] }];
  });
}

/**
 * Asks the driver for a cut. It is idempotent: a second call with the same name returns what the first one made. The driver returns
 * when the snapshots are cut, although they may not be ready yet.
 *
 * @throws PluginError DRIVER_FAILED also if a volume has no snapshot in the answer.
 */
export async function take(cut: Cut, connection: Connection): Promise<Made> {
  const { name, method, entries, parameters } = cut;
  const request = { name, secrets: connection.secrets, parameters };
  const sourceVolumeIds = entries.map(({ source }) => source.volumeId);
  if (method === "group") {
    const answer = await connection.call("CreateVolumeGroupSnapshot", { ...request, sourceVolumeIds });
    return complete(groupOf(answer, "CreateVolumeGroupSnapshot"), cut);
  }
  const [sourceVolumeId = ""] = sourceVolumeIds;
  const { snapshot } = await connection.call("CreateSnapshot", { ...request, sourceVolumeId });
  return complete(singleOf(snapshot, "CreateSnapshot"), cut);
}

function complete(made: Made, cut: Cut): Made {
  for (const entry of cut.entries) snapshotFor(entry, made, cut);
  return made;
}

/** Waits until volumes can be made from the snapshots. @throws PluginError NOT_READY, UNKNOWN_SNAPSHOT */
export async function waitUntilReady(cut: Cut, made: Made, driver: Driver, connection: Connection): Promise<Made> {
  if (made.ready) return made;
  const done = await connection.poll(async () => {
    const seen = await look(idsOf(made), connection, driver);
    const now = seen === "not-shown" ? await take(cut, connection) : seen;
    if (now === "gone") throw gone(cut.name);
    return now.ready ? now : null;
  });
  if (done !== null) return done;
  const message = `The driver ${driver.name} has taken ${cut.name}, but it is not ready for use yet.`;
  throw new PluginError("NOT_READY", message, "Raise `limits.seal` in the config to the time that the storage needs.");
}

/** The snapshot of one volume of a cut. @throws PluginError DRIVER_FAILED */
export function snapshotFor({ source }: Entry, { snapshots }: Made, { name }: Cut): DriverSnapshot {
  const found = snapshots.filter(({ sourceVolumeId }) => sourceVolumeId === source.volumeId);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw nonsense(`The request for ${name}`, `the volume ${source.volumeId} has ${found.length} snapshots in it`);
}

/** Deletes what a cut made. It is idempotent. */
export async function discard({ groupId, snapshotIds }: MadeIds, connection: Connection): Promise<void> {
  const { secrets } = connection;
  if (groupId !== null) {
    const request = { groupSnapshotId: groupId, snapshotIds: [...snapshotIds], secrets };
    return connection.undo("DeleteVolumeGroupSnapshot", request);
  }
  for (const snapshotId of snapshotIds) await connection.undo("DeleteSnapshot", { snapshotId, secrets });
}

export const idsOf = ({ groupId, snapshots }: Made): MadeIds => ({
  groupId,
  snapshotIds: snapshots.map(({ snapshotId }) => snapshotId),
});

function gone(name: string): PluginError {
  const message = `The driver no longer has ${name}, which it has just taken.`;
  return new PluginError("UNKNOWN_SNAPSHOT", message, "Another program may have deleted it. Take the set again.");
}
