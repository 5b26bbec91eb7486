import { setImmediate } from "node:timers/promises";
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "./flags.js";
import { FolderHandle } from "./folder.js";
import { PathHandle } from "./handle.js";
import { pathFailed } from "./refusal.js";
import type { FileName } from "./syscalls.js";

/** Entries between two turns of the event loop. */
const STRIDE = 256;

/** A file or a folder of a tree, and its copy. */
export interface CopiedEntry {
  readonly source: PathHandle;
  readonly copy: PathHandle;
  /** Below the top of the tree. */
  readonly names: readonly FileName[];
}

/** below: the walk goes on below a folder. beside: it does not. */
export type NextEntries = "below" | "beside";

/**
 * Visits the files and folders of a tree with their copies, folders first. Links, devices, and the like are passed over.
 *
 * @throws HoldstillError E_PATH_FAILED
 */
export async function visitCopied(
  from: PathHandle,
  to: PathHandle,
  visit: (entry: CopiedEntry) => NextEntries,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  const step = async (source: PathHandle, copy: PathHandle, names: readonly FileName[]): Promise<void> => {
    const { type } = source.status();
    if ((type !== "file" && type !== "folder") || copy.status().type !== type) return;
    count += 1;
    if (count % STRIDE === 0) await setImmediate();
    signal.throwIfAborted();
    if (visit({ source, copy, names }) === "beside" || type === "file") return;
    using inside = FolderHandle.of(source.duplicate());
    using copied = FolderHandle.of(copy.duplicate());
    for (const name of inside.list()) {
      using inner = inside.entry(name, { owners: "any" });
      using its = copied.entry(name, { owners: "any" });
      await step(inner, its, [...names, name]);
    }
  };
  await step(from, to, []);
}

/** The same file or folder, opened: ioctl(2) takes no reference. @throws HoldstillError E_PATH_FAILED */
export function opened(handle: PathHandle): PathHandle {
  const fd = handle.sys.openat(-1, handle.procPath, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) throw pathFailed("Opening", handle.path, fd);
  return new PathHandle(fd, handle.path, handle.sys);
}
