import nodePath from "node:path";
import { chase, type WayRules } from "./chase.js";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "./flags.js";
import { FolderHandle } from "./folder.js";
import type { PathHandle } from "./handle.js";
import { pathFailed, pathUnsafe } from "./refusal.js";
import { kernel, type Syscalls } from "./syscalls.js";
import { checkFolder, checkTransition } from "./transition.js";
import { isSelf, type PathTrust } from "./trust.js";

/** For what is missing on the way. */
export interface WalkRules extends PathTrust {
  /** refused; or made with this mode, for the owner of the folder that it is made in. Default: refused. */
  readonly missing?: "refused" | number;
}

/**
 * Opens a folder by its absolute path, after each part of the path was opened and seen to be safe: no user but root, this process's
 * user and `owner` can put something else in its place. That is: each part belongs to one of them, is not writable for others (or is
 * sticky, as /tmp), and what lies in a folder of `owner` is also `owner`'s. A symbolic link is followed only if it and every folder on
 * the way to it belong to root or to this process's user.
 * What is opened below the folder later is held to the same rules.
 *
 * @throws HoldstillError E_PATH_UNSAFE, with the part, its owner and what fixes it; E_PATH_FAILED
 */
export function walk(path: string, rules: WalkRules = {}, sys: Syscalls = kernel): FolderHandle {
  return FolderHandle.of(walkTo(path, rules, sys));
}

/** The same for what may also be a file, a device or a socket: it is referred to, not opened. */
export function walkTo(path: string, rules: WalkRules = {}, sys: Syscalls = kernel): PathHandle {
  if (!nodePath.isAbsolute(path) || path.split("/").includes(".."))
    throw pathUnsafe(path, null, "it is not an absolute path without `..`", "Name the path in full.");
  const root = rootFolder(rules, sys);
  checkFolder({ handle: root, status: root.status() }, rules);
  return chase(sys, root, path, wayOf(rules));
}

/** The folder `/` of this thread's mount namespace. */
export function rootFolder(trust: PathTrust = {}, sys: Syscalls = kernel): FolderHandle {
  const fd = sys.openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) throw pathFailed("Opening", "/", fd);
  return new FolderHandle(fd, "/", sys, trust);
}

function wayOf(rules: WalkRules): WayRules {
  const { missing = "refused" } = rules;
  return {
    check: (from, to) => checkTransition(from, to, rules),
    checkLink(way, link) {
      for (const { status, handle } of [...way, link]) {
        if (!isSelf(status.uid))
          throw pathUnsafe(
            link.handle.path,
            link.status.uid,
            `it is a symbolic link, and ${handle.path} belongs to user ${status.uid}`,
            "Name the path without the link.",
          );
      }
    },
    make(from, name) {
      if (missing === "refused") return null;
      const { uid, gid } = from.status();
      const made = from.mkdir(name, missing);
      if (!isSelf(uid)) made.chown(uid, gid);
      return made;
    },
  };
}
