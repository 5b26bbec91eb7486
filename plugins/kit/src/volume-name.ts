import type { Volume } from "holdstill/plugin";

/** What a person calls a volume: its mount point, or the raw device. */
export const nameOf = (volume: Volume): string =>
  volume.kind === "block" ? volume.paths.join(" ") : volume.mountPoint;
