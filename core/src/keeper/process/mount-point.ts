import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { mountAt, readMounts, type Mount } from "../../os/mounts.js";
import { TargetFault } from "./backend.js";
import type { FileSystemIdentity } from "../wire.js";

/** A mounted file system behind an open descriptor: whatever is mounted or unmounted later, it stays this file system. */
export interface MountPoint {
  readonly path: string;
  readonly fd: number;
  readonly mountId: number;
}

/**
 * Opens the root of a mount and verifies that it is the planned one. While the descriptor is open, the kernel does not give the mount's
 * id to another mount, and mountinfo has the file system and device of that id. So neither can be mistaken from here on.
 *
 * @throws TargetFault
 */
export function openMountPoint(path: string, identity: FileSystemIdentity): MountPoint {
  const fd = openFolder(path);
  const mountId = mountIdOf(fd);
  const mount = readMounts().find(({ id }) => id === mountId);
  if (mount !== undefined && isAsPlanned(mount, path, identity)) return { path, fd, mountId };
  closeSync(fd);
  throw new TargetFault("a different file system is mounted there than was planned");
}

/** How the mount has changed; null: the path still leads to the open mount. */
export function whatChanged({ path, mountId }: MountPoint, mounts: readonly Mount[]): string | null {
  const mount = mountAt(mounts, path);
  if (mount?.id === mountId) return null;
  return mounts.some(({ id }) => id === mountId)
    ? "another file system was mounted over it"
    : "it was unmounted, or another file system was mounted in its place";
}

/** @throws TargetFault */
export function openFolder(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw new TargetFault(`it cannot be opened (${error instanceof Error ? error.message : String(error)})`);
  }
}

function isAsPlanned(mount: Mount, path: string, identity: FileSystemIdentity): boolean {
  return (
    mount.id === identity.mountId &&
    mount.mountPoint === path &&
    mount.number === identity.number &&
    mount.fsType === identity.fsType
  );
}

/** proc_pid_fdinfo(5), mnt_id */
function mountIdOf(fd: number): number {
  return Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]);
}
