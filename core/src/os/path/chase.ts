import { O_CLOEXEC, O_NOFOLLOW, O_PATH } from "./flags.js";
import { FolderHandle } from "./folder.js";
import { PathHandle } from "./handle.js";
import { ELOOP, ENOENT, ENOTDIR, pathFailed, pathUnsafe } from "./refusal.js";
import { pathIn } from "./resolve.js";
import { statusOf } from "./status.js";
import type { Syscalls } from "./syscalls.js";
import type { SeenPath } from "./transition.js";

/** A part of the way that was opened, and what it is. */
export interface WayStep extends SeenPath {
  readonly handle: PathHandle;
}

/** What is allowed on the way. */
export interface WayRules {
  /** Throws where the way must not lead from one to the other. */
  check(from: WayStep, to: WayStep): void;
  /** Throws where a link must not be followed. `way` is the way to it, from the root. */
  checkLink(way: readonly WayStep[], link: WayStep): void;
  /** Makes a folder that does not exist; null: nothing is made. */
  make(from: FolderHandle, name: string): FolderHandle | null;
}

/** As many links as the kernel follows, path_resolution(7). */
const MOST_LINKS = 40;
const LONGEST_LINK = 4096;

/**
 * Goes a path from a root, part by part, as systemd's chase() does (src/basic/chase.c): each part is opened as itself, looked at, and
 * only then entered, so what was checked is what was opened. `..`, and links that lead upwards or to `/`, stay below the root.
 *
 * @param root Is closed, unless it is what is returned.
 */
export function chase(sys: Syscalls, root: FolderHandle, path: string, rules: WayRules): PathHandle {
  const way: WayStep[] = [{ handle: root, status: statusOf(sys, root.fd, root.path) }];
  const pending = partsOf(path);
  let links = 0;
  try {
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      const from = way.at(-1);
      if (from === undefined) throw new Error("the way has no root");
      if (part === "..") {
        if (way.length > 1) way.pop()?.handle[Symbol.dispose]();
        continue;
      }
      const next = step(sys, from, part, rules);
      way.push(next);
      if (next.status.type !== "symbolic link") continue;
      way.pop();
      using link = next.handle;
      links += 1;
      if (links > MOST_LINKS) throw pathFailed("Opening", link.path, -ELOOP);
      rules.checkLink(way, next);
      const target = targetOf(sys, link);
      if (target.startsWith("/")) for (const { handle } of way.splice(1)) handle[Symbol.dispose]();
      pending.unshift(...partsOf(target));
    }
    const end = way.pop();
    if (end === undefined) throw new Error("the way has no root");
    return end.handle;
  } finally {
    for (const { handle } of way) handle[Symbol.dispose]();
  }
}

function step(sys: Syscalls, { handle: from, status: above }: WayStep, part: string, rules: WayRules): WayStep {
  if (!(from instanceof FolderHandle)) throw pathFailed("Opening", from.path, -ENOTDIR);
  const path = pathIn(from, part);
  const fd = sys.openat(from.fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd === -ENOENT) return makeStep(from, part, rules);
  if (fd < 0) throw pathFailed("Opening", path, fd);
  const handle = new PathHandle(fd, path, sys);
  try {
    const status = handle.status();
    rules.check({ handle: from, status: above }, { handle, status });
    if (status.type !== "folder") return { handle, status };
    // The descriptor is the same: only what may be done with it changes.
    return { handle: new FolderHandle(handle.release(), path, sys, from.trust), status };
  } catch (error) {
    handle[Symbol.dispose]();
    throw error;
  }
}

/** It needs no check: `mkdir` has seen that this process made it. */
function makeStep(from: FolderHandle, part: string, rules: WayRules): WayStep {
  const handle = rules.make(from, part);
  if (handle === null) throw pathFailed("Opening", pathIn(from, part), -ENOENT);
  return { handle, status: handle.status() };
}

function targetOf(sys: Syscalls, link: PathHandle): string {
  const bytes = Buffer.alloc(LONGEST_LINK);
  const length = sys.readlinkat(link.fd, "", bytes);
  if (length < 0) throw pathFailed("Reading", link.path, length);
  const target = bytes.subarray(0, length);
  if (!Buffer.from(target.toString()).equals(target))
    throw pathUnsafe(link.path, null, "it leads to a name that is not UTF-8", `Look at it: ls -l ${link.path}`);
  return target.toString();
}

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");
