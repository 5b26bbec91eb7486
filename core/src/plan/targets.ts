import { realpathSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import { nearest } from "../base/schema/nearest.js";
import { formatNumber } from "../os/blockdevices.js";
import { type Mount, mountAt, readMounts } from "../os/mounts.js";

/** A target that a requester named. */
export type Target = { is: "path"; asked: string; path: string } | { is: "writer"; asked: string; instance: string };

/**
 * A path, a mount point, a block device, or `writer:INSTANCE`. A block device that is mounted means its mount point; another one means
 * itself, and `locate` decides whether it can be captured.
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
  const absolute = absoluteTarget(asked);
  const found = lookAt(absolute);
  if (found?.isBlockDevice() !== true) return { is: "path", asked, path: absolute };
  // In the mount table a btrfs has its own number, not that of its device.
  const number = formatNumber(found.rdev);
  const byNumber = mounts.filter((m) => m.number === number);
  const all = byNumber.length > 0 ? byNumber : mounts.filter((m) => m.source === realpathSync(absolute));
  const refuse = (reason: string): never => {
    const remedy = "Mount it, or name another target. `findmnt` lists the mounted devices.";
    throw new HoldstillError("E_TARGET_UNREADABLE", { target: asked, reason, remedy });
  };
  const [first] = all;
  if (first === undefined) return { is: "path", asked, path: absolute };
  // What a mount point leads to may be another mount, which covers it.
  const seen = all.filter((m) => mountAt(mounts, m.mountPoint) === m);
  const whole = seen.find((m) => m.root === "/") ?? seen.find((m) => m.fsType === "btrfs");
  if (whole !== undefined) return { is: "path", asked, path: whole.mountPoint };
  if (seen.length > 0) return refuse(`only a part of it is mounted, at ${seen.map((m) => m.mountPoint).join(", ")}`);
  return refuse(`another file system is mounted over ${first.mountPoint}`);
}

/** The path of a target, which is relative to the current folder. GROUP/VOLUME, as LVM prints it, is the device, unless such a path exists. */
export function absoluteTarget(asked: string): string {
  const absolute = path.resolve(asked);
  if (!/^[\w+.-]+\/[\w+.-]+$/.test(asked) || lookAt(absolute) !== undefined) return absolute;
  const device = path.join("/dev", asked);
  return lookAt(device)?.isBlockDevice() === true ? device : absolute;
}

/** As a record has them, which is read in other folders. An empty one stays, and is refused. */
export function absoluteTargets(targets: readonly string[]): string[] {
  return targets.map((asked) => (asked === "" || asked.startsWith("writer:") ? asked : absoluteTarget(asked)));
}

/** undefined: it cannot be read; `locate` reports why. */
function lookAt(target: string): Stats | undefined {
  try {
    return statSync(target);
  } catch {
    return undefined;
  }
}
