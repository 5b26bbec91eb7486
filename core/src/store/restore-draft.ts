import { realpathSync } from "node:fs";
import path from "node:path";
import type { RestoreDraft, RestoreStep } from "../base/schema/types.js";
import type { FolderHandle } from "../os/path/folder.js";
import type { FileStatus } from "../os/path/status.js";
import { isAbsence } from "../os/path/refusal.js";
import { removeTree } from "../os/path/remove-tree.js";
import { rootFolder, walk } from "../os/path/walk.js";
import type { PathTrust } from "../os/path/trust.js";

/** Of folders that are missing on the way to a path that is restored. */
const MODE = 0o755;

/** One path that is restored, as the plan has it. */
export type PathSwap = Pick<RestoreStep, "to" | "draft" | "aside">;

/**
 * The copy of one path. It is made in a folder beside its place that no other user may enter. Both folders are held open, so it comes into
 * the place that was checked, whatever another user renames meanwhile.
 */
export class PendingCopy implements Disposable {
  readonly step: PathSwap;
  /** The folder around the place. */
  readonly parent: FolderHandle;
  /** The folder around the copy. */
  readonly folder: FolderHandle;

  /** Of what is restored. */
  readonly owner: number | undefined;

  private constructor(step: PathSwap, parent: FolderHandle, folder: FolderHandle) {
    this.step = step;
    this.owner = parent.trust.owner;
    this.parent = parent;
    this.folder = folder;
  }

  /**
   * @param trust With the owner of what is restored: the way to its place must be root's, and then may be the owner's.
   * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
   */
  static make(step: PathSwap, trust: PathTrust): PendingCopy {
    const parent = walk(path.dirname(step.to), { ...trust, missing: MODE });
    try {
      return new PendingCopy(step, parent, parent.mkdir(folderNameOf(step)));
    } catch (error) {
      parent[Symbol.dispose]();
      throw error;
    }
  }

  /** The name of the copy in its folder. */
  get name(): string {
    return path.basename(this.step.draft);
  }

  /** The place itself. */
  get place(): string {
    return path.basename(this.step.to);
  }

  /** @throws HoldstillError E_PATH_FAILED if there is no copy */
  copied(): FileStatus {
    using copy = this.folder.entry(this.name, { owners: "any" });
    return copy.status();
  }

  /** What `recover` has to look for. */
  recorded(): RestoreDraft[] {
    const parent = this.parent.realPath();
    const all: RestoreDraft[] = [
      { path: path.join(parent, folderNameOf(this.step)), inode: inodeOf(this.folder.status()) },
    ];
    const copy = this.folder.find(this.name);
    if (copy !== null && this.step.aside !== null)
      all.push({ path: path.join(parent, path.basename(this.step.aside)), inode: inodeOf(copy) });
    return all;
  }

  async discard(): Promise<void> {
    await removeTree(this.parent, folderNameOf(this.step), { expected: this.folder.status() });
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
    this.parent[Symbol.dispose]();
  }
}

/** What is to be recorded before any copy is made. */
export function announced({ draft }: PathSwap): RestoreDraft {
  const folder = path.dirname(draft);
  return { path: path.join(realPathOfWhatExists(path.dirname(folder)), path.basename(folder)) };
}

function realPathOfWhatExists(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return path.join(realPathOfWhatExists(path.dirname(folder)), path.basename(folder));
  }
}

const folderNameOf = ({ draft }: PathSwap): string => path.basename(path.dirname(draft));
const inodeOf = ({ identity }: FileStatus): string => identity.slice(identity.lastIndexOf(":") + 1);

/**
 * Removes a copy that a dead process has left. What has taken its name is left alone: it may be what was there before.
 *
 * @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED
 */
export async function removeDraft({ path: draft, inode }: RestoreDraft): Promise<void> {
  const [above, name] = [path.dirname(draft), path.basename(draft)];
  try {
    using root = rootFolder();
    using parent = root.open(above.slice(1), { owners: "any" });
    if (inode === undefined) return parent.rmdir(name);
    const found = parent.find(name);
    if (found !== null && inodeOf(found) === inode) await removeTree(parent, name, { expected: found });
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}
