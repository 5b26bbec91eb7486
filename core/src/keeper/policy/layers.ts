import type { BlockDevice, HoldTarget } from "../../base/schema/types.js";
import { type Mount, mountAt } from "../../os/mounts.js";
import type { SystemState } from "./system-tables.js";

/** A file system or a block device, by its number: `fs 0:39`, `dev 253:3`. What is held is a layer, and all above it stand still. */
export type Layer = `fs ${string}` | `dev ${string}`;

/** The mount that a point names: the topmost on its mount point. */
export function mountOfTarget(point: HoldTarget, { mounts }: SystemState): Mount | null {
  const mount = point.kind === "fs" ? mountAt(mounts, point.mount) : undefined;
  return point.kind === "fs" && mount?.mountPoint === point.mount ? mount : null;
}

/** The point's own layer first, then all that it lies on. Empty where there is no such mount or device. */
export function layersOfTarget(point: HoldTarget, around: SystemState): Layer[] {
  if (point.kind === "dm") return layersOfDevices(around.mapper(point.name), around);
  const mount = mountOfTarget(point, around);
  return mount === null ? [] : layersOfMount(mount, around);
}

/** All that a path needs, to be read and written. */
export function layersOfPath(path: string, around: SystemState): Layer[] {
  const mount = mountAt(around.mounts, path);
  return mount === undefined ? [] : layersOfMount(mount, around);
}

/** Devices are not enough: below a loop device lies the file system of its file. */
export function layersOfDevices(devices: readonly BlockDevice[], around: SystemState): Layer[] {
  const files = devices.flatMap(({ kind, label }) => (kind === "loop" && label?.startsWith("/") ? [label] : []));
  return [
    ...devices.map(({ number }): Layer => `dev ${number}`),
    ...files.flatMap((file) => layersOfPath(file, around)),
  ];
}

function layersOfMount(mount: Mount, around: SystemState): Layer[] {
  return [`fs ${mount.number}`, ...layersOfDevices(around.devices(mount), around)];
}
