import type { PluginManifest, Volume, VolumeDetection } from "../../base/schema/types.js";

/** A volume that the manifest of a provider describes. */
export interface DetectedVolume {
  readonly volume: Volume;
  /** As in the manifest: LVM. */
  readonly title: string;
}

/** Those of the volumes that the manifest describes. */
export function detectedVolumes({ detects = [] }: PluginManifest, volumes: readonly Volume[]): DetectedVolume[] {
  return volumes.flatMap((volume) => {
    const detection = detects.find(({ volume: wanted }) => wanted !== undefined && fits(volume, wanted));
    return detection === undefined ? [] : [{ volume, title: detection.title }];
  });
}

/** The device that carries the file system decides: what is below it is that device's affair. */
function fits({ fsType, devices: [top] }: Volume, { deviceKinds, fsTypes }: VolumeDetection): boolean {
  const hasDevice = deviceKinds === undefined || (top !== undefined && deviceKinds.includes(top.kind));
  return hasDevice && (fsTypes === undefined || fsTypes.includes(fsType));
}
