import type { Volume } from "../schema/types.js";

/** What a person calls a volume: its mount point, or the device. */
export const volumeName = (volume: Volume): string =>
  volume.kind === "block" ? volume.paths.join(" ") : volume.mountPoint;

/** What it is, in a few words: `ext4 on /dev/mapper/vg0-data`, `raw lvm device`. */
export const volumeKind = (volume: Volume): string =>
  volume.kind === "block" ? `raw ${volume.devices[0]?.kind ?? "block"} device` : `${volume.fsType} on ${volume.source}`;
