import path from "node:path";
import { type Details, HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import type { RestoreStep } from "../../base/schema/types.js";
import { readAccountsNow } from "../../base/trust/accounts.js";
import { isMountPoint, isOfKernel, type Mount, mountAt, mountsBelow, readMounts } from "../../os/mounts.js";
import type { FolderHandle } from "../../os/path/folder.js";
import { isAbsence } from "../../os/path/refusal.js";
import type { PathTrust } from "../../os/path/trust.js";
import { walk, walkTo } from "../../os/path/walk.js";

/** Where one path is restored to. */
export type RestorePlace = Pick<RestoreStep, "to" | "aside">;

/**
 * Looks at a place, and changes nothing. @returns Whether something is there, which is to be put aside.
 *
 * @throws HoldstillError E_RESTORE if nothing can be put there, E_PATH_UNSAFE, E_PATH_FAILED
 */
export function lookAt(to: string, asideName: string): "taken" | "free" {
  const refuse = restoreRefusal(to);
  const mounts = readMounts();
  const around = mountAt(mounts, to);
  if (around !== undefined && isOfKernel(around))
    refuse(`${around.mountPoint} is a file system of the kernel (${around.fsType})`, "Name another folder with --to.");
  using parent = folderAround(to);
  const found = parent?.find(path.basename(to)) ?? null;
  if (parent === null || found === null) return "free";
  if (found.mountId !== parent.status().mountId || found.device !== parent.status().device)
    refuse("it is a mount point", "Restore with --to and copy, or use `holdstill revert`.");
  refuseMountsBelow(to, parent);
  if (parent.find(asideName) !== null) {
    const before = path.join(path.dirname(to), asideName);
    refuse(`${before} is what an earlier restore put aside`, "Move it away, or delete it.");
  }
  return "taken";
}

/**
 * What is mounted below a place would move along with the present data, and the application would write to another disk.
 *
 * @throws HoldstillError E_RESTORE
 */
export function refuseMountsBelow(to: string, parent: FolderHandle): void {
  const below = mountsBelow(readMounts(), path.join(parent.realPath(), path.basename(to)));
  if (below.length === 0) return;
  const points = below.map(({ mountPoint }) => mountPoint);
  const remedy = "Unmount them, or restore with --to and copy.";
  restoreRefusal(to)(`${points.join(", ")} ${points.length === 1 ? "is" : "are"} mounted below it`, remedy);
}

/**
 * Where nothing is mounted, a restore would fill the file system below the mount point, and be hidden by the next mount.
 *
 * @throws HoldstillError E_RESTORE
 */
export function refuseUnmounted(to: string, mountPoint: string, mounts: readonly Mount[]): void {
  if (isMountPoint(mounts, mountPoint)) return;
  const remedy = `Mount a file system there: mount ${mountPoint}. Or restore with --to and copy.`;
  restoreRefusal(to)(`the data was on a file system of its own, and nothing is mounted at ${mountPoint}`, remedy);
}

/** null: the folder does not exist. */
const folderAround = (to: string): FolderHandle | null => ofOwner((trust) => walk(path.dirname(to), trust));

/** What a link leads to, if no other user can change where; else null. */
export function linkedTo(named: string): string | null {
  try {
    using found = ofOwner((trust) => walkTo(named, trust));
    return found?.realPath() ?? null;
  } catch (error) {
    if (isHoldstillError(error)) return null;
    throw error;
  }
}

/** The first other user on the way is taken for the owner of the data: who that is is seen when it is copied. null: it does not exist. */
function ofOwner<T>(open: (trust: PathTrust) => T): T | null {
  const accounts = readAccountsNow();
  try {
    try {
      return open({ accounts });
    } catch (error) {
      const owner = ownerIn(error);
      if (owner === null) throw error;
      return open({ accounts, owner });
    }
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

function ownerIn(error: unknown): number | null {
  if (!isHoldstillError(error) || error.code !== "E_PATH_UNSAFE") return null;
  return (error.details as Details["E_PATH_UNSAFE"]).owner;
}

/** Throws E_RESTORE of that path. */
export const restoreRefusal =
  (to: string) =>
  (reason: string, remedy: string): never => {
    throw new HoldstillError("E_RESTORE", { path: to, reason, remedy });
  };
