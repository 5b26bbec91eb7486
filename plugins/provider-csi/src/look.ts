import { codeOf } from "#kit/plugin-error.js";
import type { Connection } from "./connection.js";
import type { Driver } from "./driver.js";
import { nonsense } from "./failure.js";
import type { Calls, DriverSnapshot } from "./messages.js";

/** What the driver made at once: a group, or the snapshot of one volume. */
export interface Made {
  readonly groupId: string | null;
  readonly snapshots: readonly DriverSnapshot[];
  /** Whether volumes can be made from them. */
  readonly ready: boolean;
}

/** The ids of what the driver made. */
export interface MadeIds {
  readonly groupId: string | null;
  readonly snapshotIds: readonly string[];
}

/** What the driver has of it now. `not-shown`: it can neither get nor list single snapshots. */
export async function look(
  { groupId, snapshotIds: [...snapshotIds] }: MadeIds,
  connection: Connection,
  { can }: Driver,
): Promise<Made | "gone" | "not-shown"> {
  const { secrets } = connection;
  const [snapshotId = ""] = snapshotIds;
  try {
    if (groupId !== null) {
      const answer = await connection.call("GetVolumeGroupSnapshot", {
        groupSnapshotId: groupId,
        snapshotIds,
        secrets,
      });
      return groupOf(answer, "GetVolumeGroupSnapshot");
    }
    if (can.has("GET_SNAPSHOT")) {
      return singleOf((await connection.call("GetSnapshot", { snapshotId, secrets })).snapshot, "GetSnapshot");
    }
    if (!can.has("LIST_SNAPSHOTS")) return "not-shown";
    const { entries } = await connection.call("ListSnapshots", { snapshotId, secrets });
    const found = entries.find(({ snapshot }) => snapshot?.snapshotId === snapshotId);
    return found === undefined ? "gone" : singleOf(found.snapshot, "ListSnapshots");
  } catch (error) {
    if (codeOf(error) === "NOT_FOUND") return "gone";
    throw error;
  }
}

/** @throws PluginError DRIVER_FAILED */
export function groupOf({ groupSnapshot }: Calls["GetVolumeGroupSnapshot"][1], method: string): Made {
  if (groupSnapshot === null || groupSnapshot.groupSnapshotId === "") throw nonsense(method, "it returned no group");
  const { groupSnapshotId: groupId, snapshots, readyToUse } = groupSnapshot;
  return { groupId, snapshots, ready: readyToUse };
}

/** @throws PluginError DRIVER_FAILED */
export function singleOf(snapshot: DriverSnapshot | null, method: string): Made {
  if (snapshot === null || snapshot.snapshotId === "") throw nonsense(method, "it returned no snapshot");
  return { groupId: null, snapshots: [snapshot], ready: snapshot.readyToUse };
}
