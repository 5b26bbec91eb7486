import type { Accounts } from "../../base/trust/accounts.js";

/** Users who may be able to change a path, beside root and the user of this process. */
export interface PathTrust {
  /** The owner of what is captured or restored: the owner may lead only to what is the owner's own. */
  readonly owner?: number;
  /** To tell a user's private group from one with members. Without them every group counts as other users. */
  readonly accounts?: Accounts;
}

/** Root, the user of this process, and the owner that the caller vouches for. */
export const isTrusted = (uid: number, { owner }: PathTrust): boolean => isSelf(uid) || uid === owner;

/** Root, or the user of this process. */
export const isSelf = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();
