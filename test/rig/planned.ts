import type { PlannedVolume } from "#core/plan/plan.js";

/** A volume as it is planned, with what its provider can do. */
export const volume = (id: string, provider: string, pointInTime: boolean, atomicGroup: boolean): PlannedVolume => ({
  volume: { id, mountPoint: "/", fsType: "ext4", source: "none", root: "/", devices: [], paths: ["/"], exclude: [] },
  provider,
  qualities: { pointInTime, atomicGroup },
});
