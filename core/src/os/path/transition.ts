import { quoted } from "../../base/trust/ownership.js";
import { grantsOthers } from "./acl.js";
import { pathUnsafe } from "./refusal.js";
import type { FileStatus } from "./status.js";
import type { Syscalls } from "./syscalls.js";
import { isSelf, isTrusted, type PathTrust } from "./trust.js";

/** A part of a path that was opened, and what it is. */
export interface SeenPath {
  readonly handle: { readonly sys: Syscalls; readonly fd: number; readonly path: string };
  readonly status: FileStatus;
}

/**
 * Whether what lies in a folder may be entered from there: it belongs to a trusted user, and to the folder's owner where that is another
 * user than root and this process's own; for a folder's owner can put anything of any user in the place of what lies in it.
 *
 * The rules are those of systemd's CHASE_SAFE (src/basic/chase.c) and of OpenSSH's StrictModes (auth_secure_path in misc.c) together.
 *
 * @throws HoldstillError E_PATH_UNSAFE
 */
export function checkTransition({ handle: from, status: above }: SeenPath, to: SeenPath, trust: PathTrust): void {
  const { path } = to.handle;
  const { uid, type } = to.status;
  if (!isTrusted(uid, trust)) {
    const owner = isSelf(above.uid) ? 0 : above.uid;
    throw pathUnsafe(path, uid, `user ${uid} owns it`, `If that is a mistake: chown ${owner} ${quoted(path)}`);
  }
  if (!isSelf(above.uid) && uid !== above.uid) {
    const reason = `it belongs to user ${uid}, but user ${above.uid} owns ${from.path} and can replace it`;
    throw pathUnsafe(path, uid, reason, `If that is a mistake: chown ${uid} ${quoted(from.path)}`);
  }
  if (type === "folder") checkFolder(to, trust);
}

const STICKY = 0o1000;

/** Others may not rename in it: it is not writable for them, or sticky. @throws HoldstillError E_PATH_UNSAFE */
export function checkFolder({ handle, status }: SeenPath, trust: PathTrust): void {
  // A list grants no more than the group bits allow: they are its mask.
  if ((status.mode & 0o022) === 0 || (status.mode & STICKY) !== 0) return;
  const others = grantsOthers(handle, trust);
  if (others.length === 0) return;
  const reason = `${others.join(", ")} may write to it, and replace what is in it`;
  throw pathUnsafe(handle.path, status.uid, reason, `chmod go-w ${quoted(handle.path)}`);
}
