import type { PathHandle } from "./path-handle.js";
import { pathUnsafe } from "./path-refusal.js";

/** A user who may be able to change a path, beside root and the user of this process. */
export interface PathTrust {
  /** The owner of what is captured, or the user of a server: that user may lead only to what is that user's own. */
  readonly owner?: number;
  /** A group that only trusted users are in, such as the private group of `owner`: it may write to a folder. */
  readonly group?: number;
}

/** Root, or the user of this process. */
export const isSelf = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();

/**
 * Whether what lies in a folder may be entered from there: it belongs to a trusted user, and to the folder's owner where that is another
 * user than root and this process's own; for a folder's owner can put anything of any user in the place of what lies in it.
 *
 * The rules are those of systemd's CHASE_SAFE (src/basic/chase.c) and of OpenSSH's StrictModes (auth_secure_path in misc.c) together.
 *
 * @throws PluginError PATH_UNSAFE
 */
export function checkTransition(from: PathHandle, to: PathHandle, trust: PathTrust): void {
  const { owner } = trust;
  const above = from.status();
  const { uid, type } = to.status();
  if (!isSelf(uid) && uid !== owner) {
    const rightful = isSelf(above.uid) ? 0 : above.uid;
    throw pathUnsafe(to.path, uid, `user ${uid} owns it`, `If that is a mistake: chown ${rightful} ${to.path}`);
  }
  if (!isSelf(above.uid) && uid !== above.uid) {
    const reason = `it belongs to user ${uid}, but user ${above.uid} owns ${from.path} and can replace it`;
    throw pathUnsafe(to.path, uid, reason, `If that is a mistake: chown ${uid} ${from.path}`);
  }
  if (type === "folder") checkFolder(to, trust);
}

const STICKY = 0o1000;

/**
 * Others may not rename in it: it is not writable for them, or sticky. An access control list grants no more than the group bits, which
 * are its mask, acl(5). @throws PluginError PATH_UNSAFE
 */
export function checkFolder(folder: PathHandle, { group }: PathTrust): void {
  const { mode, uid, gid } = folder.status();
  const others = gid === group ? 0o002 : 0o022;
  if ((mode & others) === 0 || (mode & STICKY) !== 0) return;
  const writers = (mode & 0o002) === 0 ? `group ${gid}` : "every user";
  const reason = `${writers} may write to it, and replace what is in it`;
  throw pathUnsafe(folder.path, uid, reason, `chmod go-w ${folder.path}`);
}
