import { installation } from "../../installation.js";
import { realpathSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import type { BlockDevice } from "../../base/schema/types.js";
import { devicesBelow, devicesBelowMapper } from "../../os/blockdevices.js";
import { type Mount, readMounts } from "../../os/mounts.js";
import { readSwaps, type Swap } from "../../os/swaps.js";

/** A file or folder that must stay usable while volumes are held. */
export interface ProtectedPath {
  /** Completes "it carries …". */
  readonly what: string;
  /** Absolute, without symbolic links. */
  readonly path: string;
}

/** Everything that the rules depend on: read from the running system, or given by tests. */
export interface SystemState {
  readonly mounts: readonly Mount[];
  devices(mount: Mount): readonly BlockDevice[];
  /** Top first; empty if the device does not exist. */
  mapper(name: string): readonly BlockDevice[];
  readonly swaps: readonly Swap[];
  /** uname -r, for example 6.1.0-18-amd64. */
  readonly kernel: string;
  readonly protectedPaths: readonly ProtectedPath[];
}

/**
 * Reads the tables. `paths` are protected in addition to `/` and holdstill's own files. A path that does not exist yet is represented by
 * the nearest folder above it.
 */
export function readSystemState(paths: readonly ProtectedPath[] = []): SystemState {
  const own: ProtectedPath[] = [
    { what: "the root of the system, /", path: "/" },
    { what: "the program that runs holdstill", path: process.execPath },
    { what: "holdstill itself", path: installation.modules },
  ];
  return {
    mounts: readMounts(),
    devices: devicesBelow,
    mapper: devicesBelowMapper,
    swaps: readSwaps(),
    kernel: release(),
    protectedPaths: [...own, ...paths].map((one) => ({ ...one, path: realPathOrFolder(one.path) })),
  };
}

function realPathOrFolder(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return realPathOrFolder(path.dirname(file));
  }
}
