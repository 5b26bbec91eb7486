import path from "node:path";
import type { ExposedTree } from "../../base/schema/types.js";
import { readAccountsNow } from "../../base/trust/accounts.js";
import { isHoldstillError } from "../../base/errors/error.js";
import { isWithin, readMounts } from "../mounts.js";
import type { FolderHandle } from "./folder.js";
import type { PathHandle } from "./handle.js";
import { pathUnsafe } from "./refusal.js";
import { rootFolder, walk } from "./walk.js";

/**
 * Opens what is exposed, below the folder of its snapshot and nowhere else. A captured path had no links when it was planned. If there is one
 * now, another user has put it there before the cut, and what it leads to is not what was to be captured.
 *
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
export function openExposed(tree: ExposedTree): PathHandle {
  const root = snapshotRootOf(tree);
  // The snapshot's own folder belongs to the owner of what was captured.
  using parent = walk(path.dirname(root), { accounts: readAccountsNow() });
  const found = parent.entry(path.relative(path.dirname(root), tree.path), { owners: "any" });
  const { type, uid } = found.status();
  if (type !== "symbolic link") return found;
  found[Symbol.dispose]();
  const reason = `it is a symbolic link, and ${tree.original} was none when it was captured`;
  throw pathUnsafe(tree.path, uid, reason, `See where it leads: ls -l ${tree.path}`);
}

/** The folder around what is exposed, in the same snapshot. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
export function openExposedParent(tree: ExposedTree): FolderHandle {
  const root = snapshotRootOf(tree);
  using parent = walk(path.dirname(root), { accounts: readAccountsNow() });
  return parent.open(path.relative(path.dirname(root), path.dirname(tree.path)), { owners: "any" });
}

/** Who may enter a folder. */
export interface FolderAccess {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const ROOT_ALONE: FolderAccess = { uid: 0, gid: 0, mode: 0o700 };

/**
 * Who may enter the folders above what was captured, by their original paths. They may hide what lies below them, whatever its own mode is:
 * so it is who could enter them when they were captured, if the snapshot reaches as far, and can now, if they still exist.
 *
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
export function accessAbove(tree: ExposedTree): ReadonlyMap<string, FolderAccess> {
  return new Map(
    foldersAbove(tree).map(({ at, copy, root }) => [
      at,
      bothOf(copy === null ? null : capturedAccess(root, copy), presentAccess(at)),
    ]),
  );
}

/**
 * Who may pass to the snapshots where they are exposed. A snapshot of a whole volume does not have the folders above the volume's mount
 * point, which may hide what is in it: so they decide. Execute permission for all; or for one group; or for root alone.
 */
export function passageTo(trees: readonly ExposedTree[]): Omit<FolderAccess, "uid"> {
  const beyond = trees.flatMap((tree) => foldersAbove(tree).filter(({ copy }) => copy === null));
  const hiding = beyond.map(({ at }) => presentAccess(at) ?? ROOT_ALONE).filter(({ mode }) => (mode & 0o001) === 0);
  const [first] = hiding;
  if (first === undefined) return { gid: 0, mode: 0o711 };
  const isOfOneGroup = hiding.every(({ gid, mode }) => gid === first.gid && (mode & 0o010) !== 0);
  return isOfOneGroup ? { gid: first.gid, mode: 0o710 } : { gid: 0, mode: 0o700 };
}

interface FolderAbove {
  /** Original path. */
  readonly at: string;
  readonly root: string;
  /** In the snapshot, whose root is that; null: it does not reach as far. */
  readonly copy: string | null;
}

/** The folders above what was captured, without `/`. */
function foldersAbove(tree: ExposedTree): FolderAbove[] {
  const root = snapshotRootOf(tree);
  const found: FolderAbove[] = [];
  let copy = tree.path;
  for (let at = path.dirname(tree.original); at !== "/"; at = path.dirname(at)) {
    copy = path.dirname(copy);
    const isCaptured =
      copy !== root && isWithin(copy, root) && tree.path.endsWith(`/${path.relative(path.dirname(at), tree.original)}`);
    found.push({ at, root, copy: isCaptured ? copy : null });
  }
  return found;
}

function capturedAccess(root: string, copy: string): FolderAccess {
  using around = walk(path.dirname(root), { accounts: readAccountsNow() });
  using folder = around.open(path.relative(path.dirname(root), copy), { owners: "any" });
  return accessOf(folder);
}

function bothOf(captured: FolderAccess | null, present: FolderAccess | null): FolderAccess {
  if (captured === null || present === null) return captured ?? present ?? ROOT_ALONE;
  const mode = captured.mode & present.mode;
  const { uid, gid } = captured;
  if (uid === present.uid && gid === present.gid) return { uid, gid, mode };
  return { ...ROOT_ALONE, mode: ROOT_ALONE.mode | (mode & 0o007) };
}

/** null: it is not there any more, or is not a folder. */
function presentAccess(original: string): FolderAccess | null {
  try {
    using all = rootFolder();
    using folder = all.open(original.slice(1), { owners: "any" });
    return accessOf(folder);
  } catch (error) {
    if (isHoldstillError(error)) return null;
    throw error;
  }
}

/** With an access control list, which is not copied, the group bits are its mask, and say nothing of the group: acl(5). */
function accessOf(folder: PathHandle): FolderAccess {
  const { uid, gid, mode } = folder.status();
  const hasList = folder.sys.getxattr(folder.procPath, "system.posix_acl_access", Buffer.alloc(65_536)) >= 0;
  return { uid, gid, mode: hasList ? mode & 0o707 : mode & 0o777 };
}

/** Where the snapshot begins: below its mount point, or the folder below which the original paths are; else what the provider names. */
function snapshotRootOf({ original, path: shown }: ExposedTree): string {
  const mountPoints = readMounts().map(({ mountPoint }) => mountPoint);
  const candidates = mountPoints.filter((point) => point !== "/" && isWithin(shown, point));
  if (shown.endsWith(original)) candidates.push(shown.slice(0, -original.length) || "/");
  const [longest = path.dirname(shown)] = candidates.toSorted((a, b) => b.length - a.length);
  return longest;
}

/** What is exposed is what was planned. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
export function checkExposed(trees: readonly ExposedTree[]): void {
  for (const tree of trees) openExposed(tree)[Symbol.dispose]();
}
