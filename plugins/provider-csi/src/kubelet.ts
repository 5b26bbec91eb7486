import path from "node:path";
import type { Mount } from "#kit/mounts.js";
import { isWithin } from "#kit/paths.js";
import { readIfExists } from "#kit/durable-file.js";

/** Beside each mount of a CSI volume, the kubelet writes what it is (pkg/volume/csi in Kubernetes). */
const FILE = "vol_data.json";
/** The kubelet's names for the mounts: the staged one of a volume, and that of a pod. */
const points = ["globalmount", "mount"];

/** The driver's id of the volume that the kubelet has mounted, if it is that driver's; null: it is not, or not known. */
export function kubeletVolume(mounts: readonly Mount[], folder: string, driver: string): string | null {
  for (const { point } of mounts) {
    if (!isWithin(point, folder) || !points.includes(path.basename(point))) continue;
    const data = parse(readIfExists(path.join(path.dirname(point), FILE)) ?? "null");
    if (data?.driverName !== driver || typeof data.volumeHandle !== "string") continue;
    // A volume that lives and dies with its pod has no id that a controller knows.
    if (data.volumeLifecycleMode !== "Ephemeral") return data.volumeHandle;
  }
  return null;
}

function parse(text: string): Partial<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Partial<Record<string, unknown>> | null;
  } catch {
    return null;
  }
}
