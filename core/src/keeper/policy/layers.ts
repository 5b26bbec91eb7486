import type { BlockDevice, HoldTarget } from "../../base/schema/types.js";
import { type Mount, mountAt } from "../../os/mounts.js";
import type { SystemState } from "./system-tables.js";

/** A file system or a block device, by its number: `fs 0:39`, `dev 253:3`. Holding a layer stops I/O on all layers above it. */
export type Layer = `fs ${string}` | `dev ${string}`;

/** The mount that a target names: the topmost on its mount point. */
export function mountOfTarget(target: HoldTarget, { mounts }: SystemState): Mount | null {
  const mount = target.kind === "fs" ? mountAt(mounts, target.mount) : undefined;
  return target.kind === "fs" && mount?.mountPoint === target.mount ? mount : null;
}

/** The target's own layer, then all layers below it. Empty if the mount or device does not exist. */
export function layersOfTarget(target: HoldTarget, system: SystemState): Layer[] {
  if (target.kind === "dm") return layersOfDevices(system.mapper(target.name), system);
  const mount = mountOfTarget(target, system);
  return mount === null ? [] : layersOfMount(mount, system);
}

/** All layers that reading and writing a path needs. */
export function layersOfPath(path: string, system: SystemState): Layer[] {
  const mount = mountAt(system.mounts, path);
  return mount === undefined ? [] : layersOfMount(mount, system);
}

/** More than the devices: below a loop device is the file system of its file. */
export function layersOfDevices(devices: readonly BlockDevice[], system: SystemState): Layer[] {
  const files = devices.flatMap(({ kind, label }) => (kind === "loop" && label?.startsWith("/") ? [label] : []));
  return [
    ...devices.map(({ number }): Layer => `dev ${number}`),
    ...files.flatMap((file) => layersOfPath(file, system)),
  ];
}

function layersOfMount(mount: Mount, system: SystemState): Layer[] {
  return [`fs ${mount.number}`, ...layersOfDevices(system.devices(mount), system)];
}
