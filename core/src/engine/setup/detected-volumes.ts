import { captures } from "../../plan/match.js";
import type { PluginManifest, Volume, VolumeDetection } from "../../base/schema/types.js";

/** A volume that the manifest of a provider describes. */
export interface DetectedVolume {
  readonly volume: Volume;
  /** As in the manifest: LVM. */
  readonly title: string;
}

/** Those of the volumes that the manifest describes. */
export function detectedVolumes(manifest: PluginManifest, volumes: readonly Volume[]): DetectedVolume[] {
  const { detects = [] } = manifest;
  return volumes.flatMap((volume) => {
    if (!captures(manifest, volume)) return [];
    const detection = detects.find(({ volume: wanted }) => wanted !== undefined && fits(volume, wanted));
    return detection === undefined ? [] : [{ volume, title: detection.title }];
  });
}

/** The device that carries the file system decides: what is below it is that device's affair. A raw device has no file system. */
function fits(volume: Volume, { deviceKinds, fsTypes }: VolumeDetection): boolean {
  const [top] = volume.devices;
  const hasDevice = deviceKinds === undefined || (top !== undefined && deviceKinds.includes(top.kind));
  return hasDevice && (fsTypes === undefined || (volume.kind !== "block" && fsTypes.includes(volume.fsType)));
}
