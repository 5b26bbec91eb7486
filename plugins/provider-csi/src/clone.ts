import type { Context } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import type { Connection } from "./connection.js";
import { driverOf } from "./driver.js";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";
import { nonsense } from "./failure.js";
import type { ContentSource, Volume, VolumeCapability } from "./messages.js";
import type { Options } from "./options.js";

/** How a volume is used: by this host alone. The kernel mounts a second XFS with the same UUID only with `nouuid` (xfs(5)). */
export function capabilityOf({ source, volume: { fsType } }: Entry): VolumeCapability {
  const accessMode = { mode: "SINGLE_NODE_WRITER" } as const;
  if (source.access === "block") return { accessMode, block: {} };
  return { accessMode, mount: { fsType, mountFlags: fsType === "xfs" ? ["nouuid"] : [] } };
}

/**
 * Makes a volume with the contents of a snapshot, or of a fork. It is idempotent: a second call with the same name returns the volume
 * that the first one made.
 */
export async function makeVolume(
  name: string,
  entry: Entry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<Volume> {
  const { can } = await driverOf(connection, ctx);
  const topology = can.has("VOLUME_ACCESSIBILITY_CONSTRAINTS")
    ? (await connection.call("NodeGetInfo", {})).accessibleTopology
    : null;
  const here = topology === null ? [] : [topology];
  const { volume } = await connection.call("CreateVolume", {
    name,
    capacityRange: { requiredBytes: sizeOf(entry) },
    volumeCapabilities: [capabilityOf(entry)],
    parameters: ctx.options.volumeParameters,
    secrets: connection.secrets,
    volumeContentSource: contentOf(entry),
    ...(here.length > 0 && { accessibilityRequirements: { requisite: here, preferred: here } }),
  });
  if (volume === null || volume.volumeId === "") throw nonsense("CreateVolume", "it returned no volume");
  const { volumeId, volumeContext } = volume;
  return { volumeId, volumeContext };
}

export function deleteVolume({ volumeId }: Volume, connection: Connection): Promise<void> {
  return connection.undo("DeleteVolume", { volumeId, secrets: connection.secrets });
}

/** Whether the driver has the volume. Each driver with a controller has this method. */
export async function hasVolume(volume: Volume, entry: Entry, connection: Connection): Promise<boolean> {
  const request = { ...volume, volumeCapabilities: [capabilityOf(entry)], secrets: connection.secrets };
  try {
    await connection.call("ValidateVolumeCapabilities", request);
    return true;
  } catch (error) {
    if (codeOf(error) === "NOT_FOUND") return false;
    throw error;
  }
}

function contentOf({ id, held }: Entry): ContentSource {
  if (held.as === "snapshot") return { snapshot: { snapshotId: held.snapshotId } };
  if (held.as === "fork" && held.volume !== null) return { volume: { volumeId: held.volume.volumeId } };
  const message = `The snapshot ${id} is not complete.`;
  throw new PluginError("UNKNOWN_SNAPSHOT", message, "`holdstill recover` removes what is left of it.");
}

/** The driver says how large a volume must be; else it is as large as the one that was captured. */
function sizeOf({ held, volume }: Entry): number {
  const size = held.as === "planned" ? 0 : held.sizeBytes;
  return size > 0 ? size : (volume.devices[0]?.sizeBytes ?? 0);
}
