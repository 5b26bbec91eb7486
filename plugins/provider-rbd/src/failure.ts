import { constants } from "node:os";
import { type ErrorCode, PluginError } from "./errors.js";

/** What the client reports of a request that failed. */
export interface Failure {
  readonly errno: number;
  readonly message: string;
}

const { errno } = constants;

/** What the numbers of librados and librbd mean here, and the next step. */
const meanings: ReadonlyMap<number, { code: ErrorCode; hint: string }> = new Map([
  [errno.ENOENT, { code: "NOT_FOUND", hint: "See what the pool has: rbd ls --all" }],
  [errno.EEXIST, { code: "EXISTS", hint: "Another program uses the same name. Run the command again." }],
  [errno.EBUSY, { code: "BUSY", hint: "See who uses the image: rbd status IMAGE" }],
  [errno.EROFS, { code: "BUSY", hint: "Another client has the exclusive lock: rbd status IMAGE" }],
  [errno.ENOTEMPTY, { code: "BUSY", hint: "See what depends on it: rbd children IMAGE" }],
  [errno.ETIMEDOUT, { code: "UNREACHABLE", hint: "See whether the cluster is healthy: ceph -s" }],
  [errno.EACCES, { code: "DENIED", hint: "Check the options `user` and `keyring`, and the caps: ceph auth get" }],
  [errno.EPERM, { code: "DENIED", hint: "Check the options `user` and `keyring`, and the caps: ceph auth get" }],
  [errno.ENOSPC, { code: "NO_SPACE", hint: "See what the pool has: ceph df" }],
  [errno.EDQUOT, { code: "NO_SPACE", hint: "See the quota of the pool: ceph osd pool get-quota" }],
]);

/** The error of a request, with the next step. */
export function failureOf(what: string, { errno: number, message }: Failure): PluginError {
  const { code, hint } = meanings.get(number) ?? {
    code: "CEPH_FAILED",
    hint: "See whether the cluster is healthy: ceph -s",
  };
  return new PluginError(code, `${what} failed: ${message}`, hint, { details: { errno: number } });
}

/** A cluster that did not respond. Nothing is known of what it has. */
export function unreachable(what: string, conf: string, reason: string): PluginError {
  const message = `The Ceph cluster of ${conf} cannot be reached for ${what}: ${reason}.`;
  return new PluginError("UNREACHABLE", message, "See whether it is healthy: ceph --connect-timeout 5 -s");
}
