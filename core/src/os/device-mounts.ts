import { type Mount, mountAt, readMounts } from "./mounts.js";

/**
 * Each file system on a block device, where it can be reached. The daemon of a FUSE mount, which may name a device as well, may never
 * respond.
 */
export function deviceMounts(): Mount[] {
  const mounts = readMounts();
  const seen = new Set<string>();
  return mounts.filter((mount) => {
    const { source, fsType, number, mountPoint } = mount;
    const isOnDevice = source.startsWith("/dev/") && !fsType.startsWith("fuse") && !seen.has(number);
    // Another one may cover it, or a folder above.
    if (!isOnDevice || mountAt(mounts, mountPoint) !== mount) return false;
    seen.add(number);
    return true;
  });
}
