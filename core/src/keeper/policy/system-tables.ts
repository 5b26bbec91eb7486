import { installation } from "../../installation.js";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import type { BlockDevice } from "../../base/schema/types.js";
import { devicesBelow, devicesBelowMapper, devicesBelowNode } from "../../os/blockdevices.js";
import { type Mount, readMounts } from "../../os/mounts.js";

/** A file or folder that must stay usable while volumes are held. */
export interface ProtectedPath {
  /** Completes "it carries …". */
  readonly what: string;
  /** Absolute, without symbolic links. */
  readonly path: string;
}

/** A line of /proc/swaps; `devices` is empty for a swap file. */
export interface Swap {
  readonly path: string;
  readonly devices: readonly BlockDevice[];
}

/** All that the rules look at: read from the running system, or given by tests. */
export interface SystemState {
  readonly mounts: readonly Mount[];
  devices(mount: Mount): readonly BlockDevice[];
  /** Top first; empty where there is no such device. */
  mapper(name: string): readonly BlockDevice[];
  readonly swaps: readonly Swap[];
  /** uname -r, for example 6.1.0-18-amd64. */
  readonly kernel: string;
  readonly guarded: readonly ProtectedPath[];
}

/** Reads the tables. `places`: what the caller guards beside `/` and holdstill's own files; what is not there yet goes by its folder. */
export function readSystemState(places: readonly ProtectedPath[] = []): SystemState {
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
    guarded: [...own, ...places].map((guarded) => ({ ...guarded, path: realPathOrFolder(guarded.path) })),
  };
}

/** proc(5): a line of titles, then `path type size used priority`; spaces in a path come as \040. */
function readSwaps(): Swap[] {
  const file = "/proc/swaps";
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n").slice(1);
  return lines.map((line) => {
    const named = (line.split(/\s/, 1)[0] ?? "").replaceAll(String.raw`\040`, " ");
    return { path: named, devices: devicesBelowNode(named) };
  });
}

function realPathOrFolder(place: string): string {
  try {
    return realpathSync(place);
  } catch {
    return realPathOrFolder(path.dirname(place));
  }
}
