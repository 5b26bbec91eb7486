import type { User } from "./unprivileged.js";

/** Users without an account. */
export const alice: User = { uid: 60_001, gid: 60_001 };
export const mallory: User = { uid: 60_002, gid: 60_002 };

/** Does something with the rights of another user, whom the kernel checks: setting the effective user takes all capabilities away. */
export function asUser<T>({ uid, gid }: User, act: () => T): T {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

/** Skips tests that need several users. */
export const needsRoot = process.getuid?.() === 0 ? false : "needs root, to act as other users";
