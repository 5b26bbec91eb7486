import nodePath from "node:path";
import { quoted } from "../../base/trust/ownership.js";
import { grantsOthers, isTrusted, type Trust } from "./acl.js";
import { chase, type Step, type Way } from "./chase.js";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "./flags.js";
import { FolderHandle } from "./folder.js";
import type { PathHandle } from "./handle.js";
import { failed, unsafe } from "./refusal.js";
import { kernel, type Syscalls } from "./syscalls.js";

/** For what is missing on the way. */
export interface Walk extends Trust {
  /** refused; or made with this mode, for this process's user. Default: refused. */
  readonly missing?: "refused" | number;
}

/**
 * Opens a folder by its absolute path, after each part of the path was opened and seen to be safe: no user but root, this process's
 * user and `owner` can put something else in its place. That is: each part belongs to one of them, is not writable for others (or is
 * sticky, as /tmp), and what lies in a folder of `owner` is also `owner`'s. A symbolic link is followed only if it and every folder on
 * the way to it belong to root or to this process's user.
 *
 * The rules are those of systemd's CHASE_SAFE (src/basic/chase.c) and of OpenSSH's StrictModes (auth_secure_path in misc.c) together.
 *
 * @throws HoldstillError E_PATH_UNSAFE, with the part, its owner and what fixes it; E_PATH_FAILED
 */
export function walk(path: string, rules: Walk = {}, sys: Syscalls = kernel): FolderHandle {
  return FolderHandle.of(walkTo(path, rules, sys));
}

/** The same for what may also be a file, a device or a socket: it is referred to, not opened. */
export function walkTo(path: string, rules: Walk = {}, sys: Syscalls = kernel): PathHandle {
  if (!nodePath.isAbsolute(path) || path.split("/").includes(".."))
    throw unsafe(path, null, "it is not an absolute path without `..`", "Name the path in full.");
  const fd = sys.openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) throw failed("Opening", "/", fd);
  return chase(sys, new FolderHandle(fd, "/", sys), path, wayOf(rules));
}

function wayOf(rules: Walk): Way {
  const { missing = "refused" } = rules;
  return {
    check(from, to) {
      // Once, for `/` itself.
      if (from.handle.path === "/") checkFolder(from, rules);
      checkTransition(from, to, rules);
      if (to.status.type === "folder") checkFolder(to, rules);
    },
    checkLink(way, link) {
      for (const { status, handle } of [...way, link]) {
        if (!isSelf(status.uid))
          throw unsafe(
            link.handle.path,
            link.status.uid,
            `it is a symbolic link, and ${handle.path} belongs to user ${status.uid}`,
            "Name the path without the link.",
          );
      }
    },
    make: (from, name) => (missing === "refused" ? null : from.mkdir(name, missing)),
  };
}

/** Who owns a folder can put anything of any user in the place of what lies in it. */
function checkTransition({ handle: from, status: above }: Step, { handle, status: { uid } }: Step, trust: Trust): void {
  if (!isTrusted(uid, trust)) {
    const owner = isSelf(above.uid) ? 0 : above.uid;
    throw unsafe(
      handle.path,
      uid,
      `user ${uid} owns it`,
      `If that is a mistake: chown ${owner} ${quoted(handle.path)}`,
    );
  }
  if (isSelf(above.uid) || uid === above.uid) return;
  const reason = `it belongs to user ${uid}, but user ${above.uid} owns ${from.path} and can replace it`;
  throw unsafe(handle.path, uid, reason, `If that is a mistake: chown ${uid} ${quoted(from.path)}`);
}

const STICKY = 0o1000;

function checkFolder({ handle, status: { mode, uid } }: Step, trust: Trust): void {
  // Only what the mode's group or other bits allow can be granted by a list.
  if ((mode & 0o022) === 0 || (mode & STICKY) !== 0) return;
  const others = grantsOthers(handle, trust);
  if (others.length === 0) return;
  const reason = `${others.join(", ")} may write to it, and replace what is in it`;
  throw unsafe(handle.path, uid, reason, `chmod go-w ${quoted(handle.path)}`);
}

const isSelf = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();
