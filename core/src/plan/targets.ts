import { realpathSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import { nearest } from "../base/schema/nearest.js";
import { formatNumber } from "../os/blockdevices.js";
import { type Mount, readMounts } from "../os/mounts.js";

/** A target that a requester named. */
export type Target = { is: "path"; asked: string; path: string } | { is: "writer"; asked: string; instance: string };

/**
 * A path, a mount point, a block device that is mounted (its mount point is meant), or `writer:INSTANCE`.
 *
 * @throws HoldstillError E_TARGET_UNKNOWN, E_TARGET_UNREADABLE
 */
export function parseTarget(
  asked: string,
  writers: readonly string[],
  mounts: readonly Mount[] = readMounts(),
): Target {
  if (asked.startsWith("writer:")) {
    const instance = asked.slice("writer:".length);
    if (writers.includes(instance)) return { is: "writer", asked, instance };
    const close = nearest(instance, writers);
    throw new HoldstillError("E_TARGET_UNKNOWN", {
      target: instance,
      known: [...writers],
      ...(close === undefined ? {} : { nearest: close }),
    });
  }
  const absolute = path.resolve(asked);
  const found = lookAt(absolute);
  if (found?.isBlockDevice() !== true) return { is: "path", asked, path: absolute };
  // In the mount table a btrfs has its own number, not that of its device.
  const number = formatNumber(found.rdev);
  const mount = mounts.find((m) => m.number === number) ?? mounts.find((m) => m.source === realpathSync(absolute));
  if (mount === undefined)
    throw new HoldstillError("E_TARGET_UNREADABLE", { target: asked, reason: "the device is not mounted" });
  return { is: "path", asked, path: mount.mountPoint };
}

/** undefined: it cannot be read; `locate` reports why. */
function lookAt(target: string): Stats | undefined {
  try {
    return statSync(target);
  } catch {
    return undefined;
  }
}
