import { setImmediate } from "node:timers/promises";
import { type FileName, type FolderHandle, pathIn } from "./folder-handle.js";
import type { FileStatus } from "./path-handle.js";
import { attempt, errnoOf, isAbsence, pathUnsafe } from "./path-refusal.js";

/** Folders that are open at once, one below the other. What lies deeper is moved up first, so no depth exhausts the descriptors. */
const DEEPEST = 24;
/** Times that a folder is emptied again because another process keeps adding to it. */
const PASSES = 4;
/** Entries between two looks at the signal. */
const STRIDE = 1024;

/**
 * Removes what has that name in a folder, with all that is below. Every name is looked up in a folder that is held open, so no link is
 * followed; a mount or subvolume below is refused, and everything beside it removed. What is gone already is a success. What another user
 * moves into the tree meanwhile is a part of it.
 *
 * @param expected What must be there, as `find` reported it; anything else is left alone.
 * @throws PluginError PATH_UNSAFE, PATH_FAILED of the first entry that stays; the signal's reason
 */
export async function removeTree(
  folder: FolderHandle,
  name: FileName,
  { expected, signal }: { expected?: Pick<FileStatus, "identity">; signal?: AbortSignal } = {},
): Promise<void> {
  const status = folder.find(name);
  if (status === null) return;
  const path = pathIn(folder, name);
  const isOther = (found: FileStatus): boolean => expected !== undefined && found.identity !== expected.identity;
  const other = (): Error =>
    pathUnsafe(path, status.uid, "it is not what it was", `Look at it, and remove it: ls -ld ${path}`);
  if (isOther(status)) throw other();
  if (status.type !== "folder") return folder.unlink(name);
  // The identity proves that it is what is meant. Without one, its owner is checked.
  using top = folder.open(name, { mounts: "refused", owners: expected === undefined ? "checked" : "any" });
  if (isOther(top.status())) throw other();
  const removal = new Removal(top, signal);
  await removal.run();
  folder.rmdir(name);
}

class Removal {
  readonly #top: FolderHandle;
  readonly #device: string;
  readonly #signal: AbortSignal | undefined;
  readonly #faults: unknown[] = [];
  #entries = 0;
  #moved = 0;

  constructor(top: FolderHandle, signal: AbortSignal | undefined) {
    this.#top = top;
    this.#device = top.status().device;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    // Each round also removes what the one before moved up.
    for (let before = -1; before !== this.#moved && this.#faults.length === 0;) {
      before = this.#moved;
      await this.#empty(this.#top, 0);
    }
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  async #empty(folder: FolderHandle, depth: number): Promise<void> {
    allowOwner(folder);
    for (const name of folder.list()) {
      this.#entries += 1;
      if (this.#entries % STRIDE === 0) await setImmediate();
      this.#signal?.throwIfAborted();
      try {
        await this.#remove(folder, name, depth);
      } catch (error) {
        this.#faults.push(error);
      }
    }
  }

  /** A folder is found by unlink(2) itself: that saves a call for every file. */
  async #remove(folder: FolderHandle, name: FileName, depth: number): Promise<void> {
    try {
      return folder.unlink(name);
    } catch (error) {
      if (errnoOf(error) !== "EISDIR") throw error;
    }
    if (depth === DEEPEST) return this.#moveUp(folder, name);
    using inner = folder.open(name, { mounts: "refused", owners: "any" });
    const { device, uid } = inner.status();
    if (device !== this.#device) {
      const reason = "it is another file system or subvolume";
      throw pathUnsafe(inner.path, uid, reason, `Remove it first: findmnt -T ${inner.path}`);
    }
    for (let pass = 1; ; pass += 1) {
      const faults = this.#faults.length;
      await this.#empty(inner, depth + 1);
      if (this.#faults.length > faults) return;
      try {
        return folder.rmdir(name);
      } catch (error) {
        if (errnoOf(error) !== "ENOTEMPTY" || pass === PASSES) throw error;
      }
    }
  }

  #moveUp(folder: FolderHandle, name: FileName): void {
    for (;;) {
      this.#moved += 1;
      const free = `.removing-${this.#moved}`;
      try {
        return attempt("Renaming", pathIn(folder, name), () =>
          folder.calls.rename(folder.at(name), this.#top.at(free)),
        );
      } catch (error) {
        if (isAbsence(error)) return;
        // Taken by another folder or file, which is removed as well.
        if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
      }
    }
  }
}

/** Root may remove anything. Another user must be able to write to the folder, and it may be the user's own. */
function allowOwner(folder: FolderHandle): void {
  const self = process.geteuid?.();
  if (self === 0) return;
  const { mode, uid } = folder.status();
  if ((mode & 0o700) !== 0o700 && uid === self) folder.chmod(0o700);
}
